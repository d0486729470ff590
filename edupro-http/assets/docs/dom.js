// Elements, made without HTML in texts: what an answer says can never become part of the page.

// An element with attributes and children. `false` leaves an attribute out.
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...children);
  return element;
}

// A sentence in which `names` stand between backticks.
export function prose(text) {
  return text.split("`").map((part, place) => (place % 2 === 1 ? make("code", {}, part) : part));
}

// Something folded away. What is in it is made when it is opened for the first time.
export function fold(summary, fill, attributes = {}) {
  const details = make("details", attributes, make("summary", {}, ...summary));
  details.addEventListener("toggle", () => details.append(...fill()), { once: true });
  return details;
}
