// The page: it reads the document and draws its sections, keeps who is logged in, and finds calls.

import { addressOf, Call } from "./call.js";
import { fold, make, prose } from "./dom.js";
import { Schemas } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const LOGINS = { accounts_login_teacher: "Teacher or administrator", accounts_login_student: "Student" };
const LOGOUT = "accounts_logout";
// Cookies cannot be read by a page; this is only what it shows.
const REMEMBERED = `edupro-docs ${addressOf("")}`;

// Where there is space, the contents stand beside the operations.
const WIDE = matchMedia("(min-width: 60rem)");

const at = (id) => document.getElementById(id);

// All operations, in the order of the sections and of their numbers.
function operationsOf(document) {
  const found = Object.entries(document.paths).flatMap(([path, methods]) => {
    const known = METHODS.filter((method) => methods[method]);
    return known.map((method) => ({ method, path, operation: methods[method] }));
  });
  const number = ({ operation }) => {
    const [, part] = operation.summary.match(/^\d+\.(\d+)/) ?? [null, 1000];
    return Number(part);
  };
  // Of two paths with a number, the one whose parameter is missing is the shorter.
  return found.sort((one, other) => {
    return number(one) - number(other) || other.path.length - one.path.length;
  });
}

class Page {
  constructor(document) {
    this.document = document;
    this.schemas = new Schemas(document.components.schemas);
    this.operations = operationsOf(document);
  }

  draw() {
    const { title, version, description } = this.document.info;
    at("version").textContent = version;
    at("about").replaceChildren(
      make("p", {}, ...prose(description)),
      make(
        "p",
        {},
        "What is sent from this page is really done, by whoever is logged in here. Programs read the same as ",
        make("a", { href: addressOf("/api/v1/openapi.json") }, "an OpenAPI document"),
        ".",
      ),
    );
    document.title = `${title} API`;
    this.document.tags.forEach(({ name }, place) => this.drawSection(name, `section-${place}`));
    WIDE.addEventListener("change", foldContents);
    foldContents();
    at("find").addEventListener("input", () => this.find(at("find").value));
    addEventListener("hashchange", open);
    open();
    this.drawAccount();
  }

  drawSection(name, id) {
    const known = this.operations.filter(({ operation }) => operation.tags.includes(name));
    const operations = known.map((one) => this.drawOperation(one));
    const link = make("a", { href: `#${id}` }, name);
    at("sections").append(make("li", {}, link));
    link.addEventListener("click", foldContents);
    at("operations").append(make("section", { id }, make("h2", {}, name), ...operations));
  }

  drawOperation(one) {
    const { method, path, operation } = one;
    const summary = [
      make("span", { class: `method ${method}` }, method.toUpperCase()),
      make("span", { class: "title" }, operation.summary),
      make("code", { class: "path" }, path),
    ];
    const drawn = fold(summary, () => this.inside(one), { class: "operation", id: operation.operationId });
    drawn.dataset.words = `${method} ${path} ${operation.summary} ${operation.tags}`.toLowerCase();
    drawn.addEventListener("toggle", () => {
      if (drawn.open) {
        history.replaceState(null, "", `#${drawn.id}`);
      }
    });
    return drawn;
  }

  inside(one) {
    const { operation } = one;
    const call = new Call(one, this.schemas, (...heard) => this.heard(...heard));
    const answers = Object.entries(operation.responses).map((each) => this.drawAnswer(each));
    return [
      make("p", {}, ...prose(operation.description)),
      call.form(),
      make("h3", {}, "Answers"),
      ...answers,
    ];
  }

  drawAnswer([status, { description, content }]) {
    const words = status === "default" ? "any other" : `${status} ${description}`;
    const known = content?.["application/json"];
    if (!known) {
      return make("p", { class: "status" }, words);
    }
    return fold([`${words} `, make("span", { class: "kind" }, this.schemas.kind(known.schema))], () => {
      const told = Object.values(known.examples ?? {}).map(({ value }) => value);
      const examples = told.length > 0 ? told : [this.schemas.example(known.schema)];
      return [
        ...(status === "default" ? [make("p", { class: "about" }, ...prose(description))] : []),
        ...this.schemas.choices(known.schema).map((choice) => this.schemas.shape(choice)),
        ...examples.map((value) => make("pre", { tabindex: "0" }, JSON.stringify(value, null, 2))),
      ];
    });
  }

  // Shows the operations with all of these words, and the sections that have one.
  find(text) {
    const words = text.toLowerCase().split(/\s+/);
    for (const section of at("operations").children) {
      const operations = [...section.querySelectorAll(".operation")];
      operations.forEach((operation) => {
        operation.hidden = !words.every((word) => operation.dataset.words.includes(word));
      });
      section.hidden = operations.every((operation) => operation.hidden);
    }
  }

  drawAccount() {
    const form = at("log-in");
    const logins = this.operations.filter(({ operation }) => operation.operationId in LOGINS);
    const named = logins.map(({ operation }) => {
      return make("option", { value: operation.operationId }, LOGINS[operation.operationId]);
    });
    form.login.append(...named);
    form.login.addEventListener("change", () => {
      const isStudent = form.login.value === "accounts_login_student";
      at("teacher").hidden = !isStudent;
      form.teacher.required = isStudent;
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { email, password, teacher } = form;
      this.ask(form.login.value, { email: email.value, password: password.value }, teacher.value);
    });
    at("log-out").addEventListener("click", () => this.ask(LOGOUT, {}));
    this.showWho();
  }

  // Logs somebody in or out.
  async ask(id, body, teacher = "") {
    const { path, operation } = this.operations.find((known) => known.operation.operationId === id);
    const named = path.replace("{username}", encodeURIComponent(teacher));
    const headers = { "Content-Type": "application/json" };
    at("account-news").textContent = "Waiting for the answer.";
    try {
      const response = await fetch(addressOf(named), { method: "POST", headers, body: JSON.stringify(body) });
      const text = await response.text();
      at("account-news").textContent = response.ok ? "" : messages(text) || `${response.status}`;
      this.heard(operation, response, text);
    } catch (error) {
      at("account-news").textContent = `No answer: ${error.message}`;
    }
  }

  // Notes who is logged in, by whichever way that came about.
  heard({ operationId }, response, text) {
    if (operationId === LOGOUT) {
      sessionStorage.removeItem(REMEMBERED);
    } else if (operationId in LOGINS && response.ok) {
      const { email, user_type: kind } = JSON.parse(text);
      sessionStorage.setItem(REMEMBERED, `${email} (${kind})`);
      at("log-in").password.value = "";
      at("account").open = false;
    }
    this.showWho();
  }

  showWho() {
    const who = sessionStorage.getItem(REMEMBERED);
    at("who").textContent = who ?? "Log in";
    at("log-out").hidden = who === null;
  }
}

function foldContents() {
  at("contents").open = WIDE.matches;
}

// Every text in an answer.
function messages(text) {
  const texts = (value) => (Object(value) === value ? Object.values(value).flatMap(texts) : [String(value)]);
  try {
    return texts(JSON.parse(text)).join(" ");
  } catch {
    return text;
  }
}

// Opens what the address names.
function open() {
  const named = at(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches(".operation")) {
    named.open = true;
  }
  named?.scrollIntoView();
}

try {
  const response = await fetch(addressOf("/api/v1/openapi.json"));
  if (!response.ok) {
    throw new Error(`the server answers ${response.status}`);
  }
  new Page(await response.json()).draw();
} catch (error) {
  const words = `The API's document cannot be shown: ${error.message}. Try again with the browser's reload button.`;
  at("about").replaceChildren(make("p", { class: "bad", role: "alert" }, words));
}
