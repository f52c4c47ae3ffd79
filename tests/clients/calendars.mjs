// Reads calendar files as two libraries do that many calendars are built on. Prints a line of JSON for each: when it
// begins and ends by ical.js, then by node-ical.
import ICAL from "ical.js";
import nodeIcal from "node-ical";
import fs from "node:fs";

const shown = (date) => (Number.isNaN(Number(date ?? NaN)) ? null : date.toISOString().replace(".000", ""));

for (const file of process.argv.slice(2)) {
  const text = fs.readFileSync(file, "utf8");
  const calendar = new ICAL.Component(ICAL.parse(text));
  ICAL.TimezoneService.reset();
  for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(new ICAL.Timezone(zone));
  const first = new ICAL.Event(calendar.getFirstSubcomponent("vevent"));
  const second = Object.values(nodeIcal.parseICS(text)).find((component) => component.type === "VEVENT");
  const dated = first.component.hasProperty("dtstart");
  console.log(
    JSON.stringify([
      [dated ? shown(first.startDate.toJSDate()) : null, dated ? shown(first.endDate.toJSDate()) : null, first.sequence],
      [shown(second.start), shown(second.end), Number(second.sequence)],
    ]),
  );
}
