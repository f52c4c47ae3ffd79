// @ts-check
// Loaded by every page. Each task can be done without it; it makes some of them quicker.
import "./live.js";
