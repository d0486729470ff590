// What the document's JSON schemas say, in words, as examples and as lists of fields.

import { fold, make, prose } from "./dom.js";

// Texts of which an example shows more than "text" would.
const TEXTS = {
  "binary": "",
  "date": "2026-01-31",
  "date-time": "2026-01-31T12:00:00Z",
  "email": "somebody@example.com",
  "uri": "https://school.example/",
  "uuid": "01a20d0d-19c0-789d-8eda-19706341cdc8",
};
const AMOUNT = "^-?\\d+\\.\\d\\d$";
// A schema may be in itself; no example needs to be deeper.
const DEEPEST = 6;

export class Schemas {
  constructor(known) {
    this.known = known;
  }

  // What a reference means.
  resolve(schema) {
    let found = schema;
    while (found?.$ref) {
      found = this.known[found.$ref.split("/").pop()];
    }
    return found ?? {};
  }

  // The schemas of which one has to fit, `null` left out.
  choices(schema) {
    const found = this.resolve(schema);
    const some = found.anyOf ?? found.oneOf ?? [found];
    return some.filter((choice) => choice.type !== "null");
  }

  // The fields of an object, or of the things in a list.
  fields(schema) {
    const [found] = this.choices(schema).map((choice) => this.resolve(choice));
    if (found?.items) {
      return this.fields(found.items);
    }
    const required = new Set(found?.required);
    return Object.entries(found?.properties ?? {}).map(([name, field]) => ({
      name,
      field,
      isRequired: required.has(name),
    }));
  }

  // "integer", "list of CourseView", "text or null".
  kind(schema) {
    if (schema.$ref) {
      return schema.$ref.split("/").pop();
    }
    if (schema.const !== undefined) {
      return JSON.stringify(schema.const);
    }
    if (schema.enum) {
      return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
    }
    const some = schema.anyOf ?? schema.oneOf;
    if (some) {
      return [...new Set(some.map((choice) => this.kind(choice)))].join(" or ");
    }
    if (schema.items) {
      return `list of ${this.kind(schema.items)}`;
    }
    const types = [schema.type ?? "anything"].flat();
    const named = types.map((type) => {
      if (type !== "string") {
        return type;
      }
      return schema.format === "binary" ? "file" : (schema.format ?? "text");
    });
    return named.join(" or ");
  }

  // "at most 100 characters"; a field that may be null has its limits one level below.
  limits(schema) {
    const [found = {}] = schema.$ref ? [] : this.choices(schema);
    const { minimum, maximum, minLength, maxLength, maxItems } = found;
    return [
      minimum !== undefined && `from ${minimum}`,
      maximum !== undefined && `up to ${maximum}`,
      minLength > 1 && `at least ${minLength} characters`,
      maxLength !== undefined && `at most ${maxLength} characters`,
      maxItems !== undefined && `at most ${maxItems}`,
      schema.default !== undefined && `else ${JSON.stringify(schema.default)}`,
    ].filter(Boolean);
  }

  // Something that fits. Of a request's fields those that have to be there, or all when none has.
  example(schema, isRequest = false, depth = 0) {
    const [choice = {}] = this.choices(schema);
    const found = this.resolve(choice);
    const given = [found.examples?.[0], found.default, found.const, found.enum?.[0]];
    const known = given.find((value) => value !== undefined);
    if (known !== undefined) {
      return known;
    }
    if (found.anyOf ?? found.oneOf) {
      return depth < DEEPEST ? this.example(found, isRequest, depth + 1) : null;
    }
    switch ([found.type].flat()[0]) {
      case "array":
        return depth < DEEPEST ? [this.example(found.items ?? {}, isRequest, depth + 1)] : [];
      case "boolean":
        return true;
      case "integer":
      case "number":
        return Math.max(1, found.minimum ?? 1);
      case "object":
        return depth < DEEPEST ? this.exampleOfFields(found, isRequest, depth) : {};
      case "string":
        return TEXTS[found.format] ?? (found.pattern === AMOUNT ? "50.00" : "text");
      default:
        return null;
    }
  }

  exampleOfFields(schema, isRequest, depth) {
    const all = this.fields(schema).filter(({ field }) => this.kind(field) !== "file");
    const required = all.filter(({ isRequired }) => isRequired);
    const shown = isRequest && required.length > 0 ? required : all;
    const example = shown.map(({ name, field }) => {
      const isEmail = name === "email" && this.kind(field).startsWith("text");
      return [name, isEmail ? TEXTS.email : this.example(field, isRequest, depth + 1)];
    });
    if (example.length === 0 && schema.additionalProperties?.items) {
      return { field: this.example(schema.additionalProperties, isRequest, depth + 1) };
    }
    return Object.fromEntries(example);
  }

  // A list of the fields, those of fields folded away in them.
  shape(schema, isRequest = false) {
    const fields = this.fields(schema);
    if (fields.length === 0) {
      return make("p", {}, make("code", {}, this.kind(schema)), this.about(schema));
    }
    return make("ul", { class: "fields" }, ...fields.map((field) => this.row(field, isRequest)));
  }

  row({ name, field, isRequired }, isRequest) {
    const words = [this.kind(field), ...this.limits(field)].join(", ");
    const row = make(
      "li",
      {},
      make("code", {}, name),
      isRequest && isRequired ? make("strong", {}, " required") : "",
      make("span", { class: "kind" }, ` ${words}`),
      this.about(field),
    );
    if (this.fields(field).length > 0) {
      row.append(fold(["its fields"], () => [this.shape(field, isRequest)]));
    }
    return row;
  }

  about(schema) {
    const [found = {}] = schema.description ? [schema] : this.choices(schema);
    return found.description ? make("span", { class: "about" }, ". ", ...prose(found.description)) : "";
  }
}
