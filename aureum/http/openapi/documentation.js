// Starts the interactive page. What is tried there goes to the host that the page came from.
fetch("/openapi.json")
  .then((answer) => answer.json())
  .then((spec) =>
    SwaggerUIBundle({
      spec: { ...spec, servers: [{ url: location.origin }] },
      dom_id: "#swagger-ui",
      deepLinking: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      persistAuthorization: false,
      validatorUrl: null,
      plugins: [plainLinks, everyOperation],
    }),
  );

// Swagger UI puts a link into each button that opens an operation, where a screen reader finds neither. The address still
// follows what is opened, and opens it.
function plainLinks({ React }) {
  return { components: { DeepLink: ({ text }) => React.createElement("span", null, text) } };
}

// From 150 lines on, Swagger UI draws only those that are on the screen, so the browser's own search and a screen reader's
// list of headings miss the others. The tags are drawn one by one instead, each of them whole.
function everyOperation({ React }) {
  const one = (Operations, props, tag) => {
    const taggedOperations = () => props.specSelectors.taggedOperations().filter((_, name) => name === tag);
    return React.createElement(Operations, { ...props, key: tag, specSelectors: { ...props.specSelectors, taggedOperations } });
  };
  const operations = (Operations) => (props) =>
    props.specSelectors.taggedOperations().keySeq().toArray().map((tag) => one(Operations, props, tag));
  return { wrapComponents: { operations } };
}

// What it gives no name, or another one than it shows; no place among the parts of the page; a heading too low.
const MENDED = [
  ["#servers", { "aria-label": "Server" }],
  [".examples-select-element", { "aria-label": "Example" }],
  [".content-type", { "aria-label": "Media type" }],
  [".parameters :is(input, select, textarea)", { "aria-label": parameter }],
  ["textarea", { "aria-label": "Body" }],
  [".responses-table", { "aria-label": (element) => `Responses: ${element.id || "tried"}` }],
  [".close-modal", { "aria-label": "Close" }],
  ["[aria-label='Apply credentials']", { "aria-label": "Authorize: Apply credentials" }],
  ["pre.microlight", { tabindex: "0" }],
  [".information-container", { role: "region", "aria-label": "About" }],
  [".schemes-server-container", { role: "region", "aria-label": "Server" }],
  [".modal-ux", { role: "dialog", "aria-label": "Authorizations" }],
  ["h3", { "aria-level": "2" }],
  ["h4", { "aria-level": "3" }],
  ["h5", { "aria-level": "4" }],
];

function parameter(element) {
  return element.closest("tr")?.dataset.paramName ?? "Value";
}

function mend() {
  for (const [selector, attributes] of MENDED) {
    for (const element of document.querySelectorAll(`#swagger-ui ${selector}`)) {
      for (const [name, value] of Object.entries(attributes)) {
        if (selector.startsWith("[") || !element.hasAttribute(name)) {
          element.setAttribute(name, typeof value === "string" ? value : value(element));
        }
      }
    }
  }
}

new MutationObserver(mend).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });
