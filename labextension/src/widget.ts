import "./view/style.css";

export { mountView } from "./view/shell";
