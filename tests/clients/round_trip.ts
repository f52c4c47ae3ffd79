// A client that openapi-typescript and openapi-fetch make: `node round_trip.js URL KEY DOMAIN`. What it cannot do, or what
// has another type than the document says, it does not compile, or it ends with an error.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

const [baseUrl, key, domain] = process.argv.slice(2) as [string, string, string];
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

function same<Value>(actual: Value, expected: Value): void {
  if (actual !== expected) throw new Error(`${String(actual)} instead of ${String(expected)}`);
}

// Create: what may be left out is left out.
const made = await api.POST("/api/contacts", { body: { firstName: "Jane", lastName: "Doe", tags: ["vip"] } });
if (made.error) throw new Error(made.error.error);
const contact: components["schemas"]["ContactResponse"] = made.data;
same(contact.type, "BUYER");
same(contact.email, null);

// List, by a filter and in pages.
const listed = await api.GET("/api/contacts", { params: { query: { tag: "vip", limit: 1 } } });
same(listed.data?.[0]?.id, contact.id);

// Change what was seen, then what has changed since.
const etag = made.response.headers.get("ETag") ?? "";
const params = { path: { id: contact.id }, header: { "If-Match": etag } };
const changed = await api.PATCH("/api/contacts/{id}", { params, body: { score: 90, email: "jane@example.com" } });
same(changed.data?.score, 90);
const stale = await api.PATCH("/api/contacts/{id}", { params, body: { score: 10 } });
same(stale.response.status, 412);
same(stale.error?.code, "version_stale");

// A refusal has a type, and names every bad field.
const refused = await api.POST("/api/contacts", { body: { firstName: "", lastName: "Doe", email: "no address" } });
const problem: components["schemas"]["Error"] | undefined = refused.error;
same(problem?.code, "invalid_fields");
same(Object.keys(problem?.fields ?? {}).sort().join(), "email,firstName");

// A lead with none of its defaults, and a task about it.
const lead = await api.POST("/api/leads", { body: { name: "John Smith", phone: "208-555-0123" } });
if (lead.error) throw new Error(lead.error.error);
same(lead.data.status, "new");
same(lead.data.utm.source, null);
const task = await api.POST("/api/tasks", { body: { title: "Call John", leadId: lead.data.id } });
same(task.data?.priority, "MEDIUM");

// The events: the type of `data` follows from the event.
const events = await api.GET("/api/events", { params: { query: { limit: 500 } } });
for (const message of events.data ?? []) {
  if (message.event === "lead.created") same(message.data.name, "John Smith");
  if (message.event === "contact.updated") same(message.changes?.["score"]?.to as number, 90);
}
same((events.data ?? []).length > 3, true);

// The public form, at the brokerage's own domain.
const visitor = createClient<paths>({ baseUrl, headers: { "X-Forwarded-Host": domain } });
const form = { firstName: "Ann", lastName: "Lee", email: "ann@example.com", subject: "A house", message: "Hello" };
const sent = await visitor.POST("/api/contact", { body: form });
same(sent.data?.success, true);
const unsent = await visitor.POST("/api/contact", { body: { ...form, email: "no address" } });
same(unsent.response.status, 422);
const detail = unsent.error?.detail;
same(Array.isArray(detail) ? detail[0]?.type : detail, "value_error.email");
same(unsent.response.headers.get("X-Error-Code"), "invalid_fields");

console.log("The client works.");
