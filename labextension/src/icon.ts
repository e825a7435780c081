/** The picture of the sidebar's tab: three agents around one kernel. */
import { LabIcon } from "@jupyterlab/ui-components";

export const icon = new LabIcon({
  name: "mcp-workbench:icon",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <circle cx="12" cy="13" r="3.6"/><circle cx="12" cy="3.6" r="2.4"/><circle cx="3.8" cy="18.6" r="2.4"/><circle cx="20.2" cy="18.6" r="2.4"/>
    <path d="M11.3 5h1.4v5h-1.4zM4.6 18.5l-.7-1.2 4.6-2.7.7 1.2zM19.4 18.5l.7-1.2-4.6-2.7-.7 1.2z"/>
  </g>
</svg>`,
});
