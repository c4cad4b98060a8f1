/** The frame around every page: where one can go, whether the page is live, and what to do when it is not. */
import { useEffect, useState } from "preact/hooks";
import { ToastArea } from "./components/controls.tsx";
import { BrandIcon, PageIcon, ThemeIcon } from "./components/icons.tsx";
import { agoText } from "./format.ts";
import { useLive, useTopic } from "./live/live-context.ts";
import { AgentPage } from "./pages/agent.tsx";
import { AgentsPage } from "./pages/agents.tsx";
import { FileSetPage } from "./pages/file-set.tsx";
import { FileSetsPage } from "./pages/file-sets.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { ResourcePage } from "./pages/resource.tsx";
import { ResourcesPage } from "./pages/resources.tsx";
import { TransfersPage } from "./pages/transfers.tsx";
import { UnknownPage } from "./pages/unknown.tsx";
import { route, type Route } from "./router.ts";
import { nextTheme, theme } from "./theme.ts";

const pages: readonly {
  readonly page: Route["page"];
  readonly about: Route["page"];
  readonly title: string;
  readonly href: string;
}[] = [
  { page: "overview", about: "overview", title: "Overview", href: "#/" },
  { page: "fileSets", about: "fileSet", title: "File sets", href: "#/filesets" },
  { page: "agents", about: "agent", title: "Agents", href: "#/agents" },
  { page: "resources", about: "resource", title: "Resources", href: "#/resources" },
  { page: "transfers", about: "transfers", title: "Transfers", href: "#/transfers" },
];

export function App() {
  const shown = route.value;
  useEffect(() => {
    document.title = `${titleOf(shown)} · Sluice`;
  }, [shown]);
  return (
    <>
      <a class="skip-link" href="#page-title" onClick={skipToTitle}>
        To the content
      </a>
      <div class="shell">
        <Sidebar shown={shown} />
        <main>
          <LostBanner />
          <div class="content">
            <Page shown={shown} />
          </div>
        </main>
      </div>
      <ToastArea />
    </>
  );
}

/** By hand: the part of the address behind `#` names the page. */
function skipToTitle(event: Event): void {
  event.preventDefault();
  document.getElementById("page-title")?.focus();
}

function titleOf(shown: Route): string {
  switch (shown.page) {
    case "fileSet":
      return shown.fileSet;
    case "agent":
      return shown.agent;
    case "resource":
      return shown.resource;
    default:
      return pages.find(({ page }) => page === shown.page)?.title ?? "Not found";
  }
}

/** Keys make a page about something else a new one: nothing of the one before shows through. */
function Page({ shown }: { readonly shown: Route }) {
  switch (shown.page) {
    case "overview":
      return <OverviewPage />;
    case "fileSets":
      return <FileSetsPage />;
    case "fileSet":
      return <FileSetPage key={shown.fileSet} fileSet={shown.fileSet} />;
    case "agents":
      return <AgentsPage key={shown.selector} selector={shown.selector} />;
    case "agent":
      return <AgentPage key={shown.agent} agent={shown.agent} />;
    case "resources":
      return <ResourcesPage />;
    case "resource":
      return <ResourcePage key={shown.resource} resource={shown.resource} />;
    case "transfers":
      return <TransfersPage />;
    default:
      return <UnknownPage />;
  }
}

function Sidebar({ shown }: { readonly shown: Route }) {
  const outOfUse = useTopic("overview")?.controller.outOfUse ?? 0;
  return (
    <header class="sidebar">
      <a class="brand" href="#/" aria-label="Sluice: overview">
        <BrandIcon />
        <span>Sluice</span>
      </a>
      <nav class="navigation" aria-label="Pages">
        <ul>
          {pages.map(({ page, about, title, href }) => (
            <li key={page}>
              <a
                href={href}
                title={title}
                {...(shown.page === page || shown.page === about ? { "aria-current": "page" as const } : {})}
              >
                <PageIcon page={page} />
                <span>{title}</span>
                {page === "resources" && outOfUse > 0 && (
                  <span class="tally" title="out of use">
                    {outOfUse}
                  </span>
                )}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="sidebar-foot">
        <ConnectionState />
        <button type="button" class="button quiet" onClick={nextTheme} title="Colours: as the system says, light, dark">
          <ThemeIcon theme={theme.value} />
          <span class="wide version">
            {theme.value === "system" ? "As the system" : theme.value === "light" ? "Light" : "Dark"}
          </span>
        </button>
      </div>
    </header>
  );
}

const connectionWords = { live: "Live", connecting: "Connecting", lost: "Disconnected" } as const;

function ConnectionState() {
  const { state } = useLive().connection.value;
  return (
    <span
      class={`connection connection-${state}`}
      role="status"
      title={connectionWords[state]}
      data-testid="connection"
    >
      {connectionWords[state]}
    </span>
  );
}

/** What is shown stays, with a word on how old it is. */
function LostBanner() {
  const live = useLive();
  const connection = live.connection.value;
  const [now, setNow] = useState(Date.now());
  const lost = connection.state === "lost";
  useEffect(() => {
    if (!lost) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [lost]);
  if (connection.state !== "lost") return null;
  return (
    <div class="lost-banner" role="alert">
      <strong>{connection.hadOne ? "The controller does not answer." : "The controller cannot be reached."}</strong>
      <span>
        {connection.hadOne &&
          `What you see is from ${agoText(connection.sinceMilliseconds, Math.max(now, connection.sinceMilliseconds))}. `}
        This page tries again by itself. Agents finish what they have been told meanwhile. Is{" "}
        <span class="mono">sluice controller</span> running at {location.host}?
      </span>
      <button type="button" class="button" onClick={() => live.retry()}>
        Try now
      </button>
    </div>
  );
}
