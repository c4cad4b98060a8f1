/** Starts the page. */
import { render } from "preact";
import { App } from "./app.tsx";
import { browserSurroundings } from "./live/browser.ts";
import { LiveContext } from "./live/live-context.ts";
import { LiveSource } from "./live/live-source.ts";
import { followAddress } from "./router.ts";
import { loadTheme } from "./theme.ts";

loadTheme();
followAddress();

const page = document.getElementById("page");
if (page !== null) {
  render(
    <LiveContext.Provider value={new LiveSource(browserSurroundings)}>
      <App />
    </LiveContext.Provider>,
    page,
  );
}
