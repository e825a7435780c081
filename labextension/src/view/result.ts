/**
 * The answer to a call as people want to read it: texts as text, images as images (four raster kinds, as `data:` URLs, nothing else is
 * ever loaded), structured content as a tree, links as text. What it does not know is shown as JSON.
 */
import { el, type Props, shown } from "./dom";
import { bytes } from "./format";
import { isObject, list, longText, member, text, tree } from "./json";

/** No SVG: that is a document. */
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const LARGEST_IMAGE = 12_000_000;
const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

/** What stands in the answer. Args: the parsed JSON-RPC message. */
export function renderAnswer(message: unknown): HTMLElement {
  const error = member(message, "error");
  if (isObject(error)) return renderError(error);
  const result = member(message, "result");
  const box = el("div", { class: "mcpw-result" });
  if (member(result, "isError") === true) box.classList.add("mcpw-failed");
  const parts = partsOf(result);
  box.append(...parts.map(renderContent));
  const structured = member(result, "structuredContent");
  if (structured !== undefined) box.append(part("structured content", tree(structured, 3)));
  else if (!parts.length) box.append(tree(result === undefined ? message : result));
  return box;
}

function renderError(error: Record<string, unknown>): HTMLElement {
  const code = member(error, "code");
  const head = el("div", {}, el("b", {}, `error ${typeof code === "number" ? code : ""}`), " ", shown(text(error, "message"), 4_000));
  const data = member(error, "data");
  return el("div", { class: "mcpw-result mcpw-failed" }, head, ...(data === undefined ? [] : [part("data", tree(data))]));
}

/** Content of a tool's result, of a prompt's messages, of a read resource. */
function partsOf(result: unknown): readonly unknown[] {
  const messages = list(result, "messages").map((one) => ({ ...asObject(member(one, "content")), role: text(one, "role") }));
  const resources = list(result, "contents").map((resource) => ({ type: "resource", resource }));
  return [...list(result, "content"), ...messages, ...resources];
}

function renderContent(content: unknown): HTMLElement {
  const role = text(content, "role");
  const body = renderKind(content);
  return role ? part(role, body) : body;
}

function renderKind(content: unknown): HTMLElement {
  const kind = text(content, "type");
  if (kind === "text") return longText(text(content, "text"));
  if (kind === "image") return renderData(text(content, "mimeType"), text(content, "data"));
  if (kind === "audio") return renderData(text(content, "mimeType"), text(content, "data"));
  if (kind === "resource_link") return renderLink(content);
  if (kind === "resource") return renderResource(member(content, "resource"));
  return tree(content);
}

function renderLink(content: unknown): HTMLElement {
  const said = [text(content, "title") || text(content, "name"), text(content, "description"), text(content, "mimeType")]
    .filter(Boolean)
    .join(", ");
  return part(
    "link",
    el("div", {}, el("code", {}, shown(text(content, "uri"), 2_000)), " ", el("span", { class: "mcpw-faint" }, shown(said, 500))),
  );
}

function renderResource(resource: unknown): HTMLElement {
  const blob = text(resource, "blob");
  const body = blob ? renderData(text(resource, "mimeType"), blob) : longText(text(resource, "text"));
  return part(text(resource, "uri") || "resource", body);
}

/** An image, or how much there is of what is not shown. */
export function renderData(mime: string, data: string): HTMLElement {
  const size = bytes(Math.floor((data.length * 3) / 4));
  if (!IMAGES.has(mime)) return note(`${mime || "data without a type"}, ${size}: not shown here`);
  if (data.length > LARGEST_IMAGE) return note(`${mime}, ${size}: too large to be shown here`);
  if (!BASE64.test(data)) return note(`${mime}: is no base64`);
  const image = el("img", { class: "mcpw-image" });
  image.alt = `${mime}, ${size}`;
  image.src = `data:${mime};base64,${data.replace(/\s+/g, "")}`;
  image.addEventListener("error", () => image.replaceWith(note(`${mime}, ${size}: cannot be decoded`)));
  return image;
}

function part(title: string, body: HTMLElement): HTMLElement {
  return el("div", { class: "mcpw-part" }, el("div", { class: "mcpw-part-title" }, shown(title, 500)), body);
}

function note(sentence: string): HTMLElement {
  const props: Props = { class: "mcpw-faint" };
  return el("div", props, shown(sentence, 500));
}

function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : { type: "text", text: typeof value === "string" ? value : "" };
}
