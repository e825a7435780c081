export { mountView } from "./view/shell";
