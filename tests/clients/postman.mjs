// Converts an OpenAPI document into a Postman collection, reads it as Postman does, and prints where its requests would
// go: `node postman.mjs DOCUMENT`.
import { readFile } from "node:fs/promises";
import converter from "openapi-to-postmanv2";
import postman from "postman-collection";

const data = await readFile(process.argv[2], "utf8");
const made = await new Promise((resolve, reject) =>
  converter.convertV2({ type: "string", data }, {}, (error, result) => (error ? reject(error) : resolve(result))),
);
if (!made.result) throw new Error(made.reason);
const collection = new postman.Collection(made.output[0].data);
const requests = [];
collection.forEachItem((item) => {
  const url = item.request.url.toString();
  requests.push({ method: item.request.method, url: collection.variables.replace(collection.variables.replace(url)) });
});
const variables = Object.fromEntries(collection.variables.all().map((variable) => [variable.key, variable.value]));
console.log(JSON.stringify({ name: collection.name, variables, requests }));
