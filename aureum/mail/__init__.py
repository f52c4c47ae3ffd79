"""Mail: what happened in a brokerage is told to people, once each, and what could not be sent is seen.

events ── letters ──▶ queue ── worker ──▶ sending ── outcome ──▶ sent, due later, or failed
"""
