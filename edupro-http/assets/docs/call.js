// A request as a form has it, how it is sent, and what came back.

import { fold, make, prose } from "./dom.js";

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
const NAMES = { [JSON_TYPE]: "JSON", [FORM_TYPE]: "a form", "multipart/form-data": "a form with files" };

// Below what the API is: this file stands in `docs/` beside `api/`, wherever both are mounted.
const BASE = new URL("..", import.meta.url);

// The address of something that the document calls `/path`.
export function addressOf(path) {
  return new URL(path.replace(/^\//, ""), BASE);
}

export class Call {
  constructor({ method, path, operation }, schemas, heard) {
    Object.assign(this, { method: method.toUpperCase(), path, operation, schemas, heard });
    this.bodies = operation.requestBody?.content ?? {};
    const types = Object.keys(this.bodies);
    this.type = types.includes(JSON_TYPE) ? JSON_TYPE : types[0];
  }

  // The form by which it is tried.
  form() {
    this.body = make("div");
    this.news = make("div", { class: "answer", role: "status" });
    const curl = make("button", { type: "button" }, "Show as curl");
    curl.addEventListener("click", () => {
      if (form.reportValidity()) {
        this.news.replaceChildren(make("pre", { tabindex: "0" }, this.curl(form)));
      }
    });
    const buttons = make("p", { class: "buttons" }, make("button", { class: "main" }, "Send"), curl);
    const form = make("form", { class: "call" }, ...this.parameters(), ...this.bodyFields());
    form.append(buttons, this.news);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(form);
    });
    return form;
  }

  parameters() {
    return this.operation.parameters.map(({ name, in: place, required, schema, description }) => {
      const words = [place, this.schemas.kind(schema), ...this.schemas.limits(schema)].join(", ");
      return make(
        "label",
        {},
        make("code", {}, name),
        make("span", { class: "kind" }, ` ${words}`),
        description ? make("span", { class: "about" }, ". ", ...prose(description)) : this.schemas.about(schema),
        make("input", { name: `${place}:${name}`, required, autocomplete: "off", autocapitalize: "none", spellcheck: "false" }),
      );
    });
  }

  bodyFields() {
    const types = Object.keys(this.bodies);
    if (types.length === 0) {
      return [];
    }
    const options = types.map((type) => {
      return make("option", { value: type, selected: type === this.type }, NAMES[type] ?? type);
    });
    const choice = make("select", { name: "type" }, ...options);
    choice.addEventListener("change", () => {
      this.type = choice.value;
      this.drawBody();
    });
    this.drawBody();
    const fields = fold(["What it may have"], () => {
      const file = this.bodies["multipart/form-data"] ?? this.bodies[this.type];
      return [this.schemas.shape(file.schema, true)];
    });
    return [make("label", { class: "type" }, "Body as ", choice), fields, this.body];
  }

  drawBody() {
    const { schema } = this.bodies[this.type];
    if (this.type === FORM_TYPE || this.type === "multipart/form-data") {
      this.body.replaceChildren(...this.formFields(schema));
      return;
    }
    const example = JSON.stringify(this.schemas.example(schema, true), null, 2);
    const rows = Math.min(20, example.split("\n").length + 1);
    const text = make("textarea", { name: "body", rows, "aria-label": "Body", spellcheck: "false" });
    text.value = example;
    this.body.replaceChildren(text);
  }

  formFields(schema) {
    return this.schemas.fields(schema).map(({ name, field, isRequired }) => {
      const kind = this.schemas.kind(field);
      const isFile = kind.startsWith("file");
      const words = [kind, isRequired && "required", ...this.schemas.limits(field)].filter(Boolean);
      return make(
        "label",
        {},
        make("code", {}, name),
        make("span", { class: "kind" }, ` ${words.join(", ")}`),
        make("input", { name: `field:${name}`, type: isFile ? "file" : "text", autocomplete: "off" }),
      );
    });
  }

  // What the form says: an address, and what `fetch` wants to know.
  request(form) {
    const given = [...new FormData(form)].filter(([, value]) => value !== "" && value.name !== "");
    const at = (place) => {
      const found = given.filter(([name]) => name.startsWith(`${place}:`));
      return found.map(([name, value]) => [name.slice(place.length + 1), value]);
    };
    let path = this.path;
    for (const [name, value] of at("path")) {
      path = path.replace(`{${name}}`, encodeURIComponent(value));
    }
    const url = addressOf(path);
    url.search = new URLSearchParams(at("query"));
    const headers = Object.fromEntries(at("header"));
    const request = { method: this.method, headers, cache: "no-store" };
    if (this.type === FORM_TYPE) {
      request.body = new URLSearchParams(at("field"));
    } else if (this.type === "multipart/form-data") {
      request.body = new FormData();
      at("field").forEach(([name, value]) => request.body.append(name, value));
    } else if (this.type) {
      headers["Content-Type"] = this.type;
      request.body = form.elements.body.value;
    }
    return { url, request };
  }

  curl(form) {
    const { url, request } = this.request(form);
    const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
    const parts = ["curl -i"];
    if (this.method !== "GET") {
      parts.push(`-X ${this.method}`);
    }
    parts.push(quoted(url.href));
    if (this.operation.security.length > 0) {
      parts.push("-b cookies.txt");
    } else if (this.method === "POST") {
      parts.push("-c cookies.txt");
    }
    for (const [name, value] of Object.entries(request.headers)) {
      parts.push(`-H ${quoted(`${name}: ${value}`)}`);
    }
    if (request.body instanceof FormData) {
      for (const [name, value] of request.body) {
        parts.push(`-F ${quoted(`${name}=${value.name ? `@${value.name}` : value}`)}`);
      }
    } else if (request.body !== undefined) {
      parts.push(`-d ${quoted(String(request.body))}`);
    }
    return parts.join(" \\\n  ");
  }

  async send(form) {
    const { url, request } = this.request(form);
    this.news.replaceChildren(make("p", {}, "Waiting for the answer."));
    const start = performance.now();
    try {
      const response = await fetch(url, request);
      const content = await response.blob();
      const text = isText(response) ? await content.text() : null;
      const time = Math.round(performance.now() - start);
      this.news.replaceChildren(...answer(response, text, content, time));
      this.heard(this.operation, response, text);
    } catch (error) {
      this.news.replaceChildren(make("p", { class: "bad" }, `No answer: ${error.message}`));
    }
  }
}

function isText(response) {
  return /^text\/|json/.test(response.headers.get("content-type") ?? "text/");
}

// What came back, for people.
function answer(response, text, content, time) {
  const { status, statusText, ok } = response;
  const size = content.size < 1024 ? `${content.size} bytes` : `${(content.size / 1024).toFixed(1)} KiB`;
  const line = make(
    "p",
    {},
    make("strong", { class: ok ? "good" : "bad" }, `${status} ${statusText}`.trim()),
    ` in ${time} ms, ${size}`,
  );
  const hint = make("p", {}, "Log in at the top of the page. Access tokens live for minutes: log in again, or send 1.4.");
  const headers = fold(["Headers"], () => {
    const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`);
    return [
      make("pre", { tabindex: "0" }, lines.join("\n")),
      make("p", { class: "about" }, "Browsers keep Set-Cookie to themselves."),
    ];
  });
  const body = text === null ? `${size} of ${content.type}` : pretty(text);
  const shown = body === "" ? [] : [make("pre", { class: "body", tabindex: "0" }, body)];
  return [line, ...(status === 401 ? [hint] : []), ...shown, headers];
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
