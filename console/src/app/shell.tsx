import { useEffect, useState } from "preact/hooks";
import { about, placeOf, readAbout } from "../feed/about.ts";
import { watchHealth } from "../feed/health.ts";
import { readSession, session, signOut } from "../feed/session.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Empty } from "../ui/panel.tsx";
import { AsOfButton } from "./as-of-bar.tsx";
import { Banners } from "./banners.tsx";
import { showsAges } from "./clock.ts";
import { FeedMenu } from "./feed-menu.tsx";
import { HelpDialog, helpIsOpen } from "./help.tsx";
import { keyNames, useCommands, type Command } from "./keys.ts";
import { LinkStatus } from "./link-status.tsx";
import { Palette, paletteIsOpen } from "./palette.tsx";
import { pageOf, PAGES, type Page } from "./pages.tsx";
import { asOf, go, href, route } from "./router.ts";
import css from "./shell.module.css";
import { SignIn } from "./sign-in.tsx";
import { nextTheme, theme } from "./theme.ts";

/** All that stays while one goes from page to page. */
export function Shell() {
  const [hasAsked, setAsked] = useState(false);
  useEffect(() => {
    void readSession()
      .catch(() => undefined)
      .finally(() => setAsked(true));
  }, []);
  // Whoever must sign in first would be refused all that the page asks for.
  if (!hasAsked && session.value === undefined) return null;
  const mustSignIn = session.value?.auth === "token" && !session.value.signedIn;
  return mustSignIn ? <SignIn /> : <SignedIn />;
}

function SignedIn() {
  const page = pageOf(route.value.path);
  useEffect(() => {
    void readAbout().catch(() => undefined);
    return watchHealth();
  }, [session.value?.who]);
  useEffect(() => {
    const { cluster } = placeOf(about.value?.source ?? "");
    document.title = [page?.title ?? "Not found", cluster, "nomad-changefeed"].filter(Boolean).join(" · ");
  }, [page, about.value]);
  useCommands(commandsOfShell(), { isOfFrame: true });
  return (
    <div class={css.shell} data-past={asOf.value === "" ? undefined : ""}>
      <a class={css.skip} href="#main" onClick={toMain}>
        Skip to the page
      </a>
      <Navigation current={page} />
      <div class={css.column}>
        <TopBar />
        <Banners />
        <main id="main" class={css.main} tabIndex={-1}>
          {page === undefined ? <NotFound /> : <page.View key={page.id} />}
        </main>
      </div>
      {paletteIsOpen.value && <Palette />}
      {helpIsOpen.value && <HelpDialog />}
    </div>
  );
}

/** The address is the route's: focus moves, it does not. */
function toMain(event: MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}

function Navigation({ current }: { current: Page | undefined }) {
  return (
    <nav class={css.nav} aria-label="Pages">
      <a class={css.brand} href={href(["live"])} aria-label="nomad-changefeed, live">
        <Icon name="live" size={20} />
      </a>
      {PAGES.map(
        (page) =>
          page.nav && (
            <a
              key={page.id}
              class={css.navItem}
              href={href([page.id])}
              title={`${page.title} (${page.nav.keys})`}
              {...(page === current && { "aria-current": "page" })}
            >
              <Icon name={page.nav.icon} size={18} />
              <span>{page.nav.short ?? page.title}</span>
            </a>
          ),
      )}
    </nav>
  );
}

function TopBar() {
  const { cluster, region } = placeOf(about.value?.source ?? "");
  return (
    <header class={css.top}>
      <p class={css.place}>
        <strong>{cluster === "" ? "…" : cluster}</strong>
        {region !== "" && <span class="muted"> / {region}</span>}
      </p>
      <FeedMenu />
      <LinkStatus />
      <div class={css.tools}>
        <AsOfButton />
        <button
          type="button"
          class={css.search}
          onClick={() => {
            paletteIsOpen.value = true;
          }}
        >
          <Icon name="search" size={14} />
          <span class={css.searchText}>Go to anything</span>
          <kbd>{keyNames("$mod+K").join("").replace("+", " ")}</kbd>
        </button>
        <Button icon="theme" kind="bare" label={`Colours: ${theme.value}`} onClick={nextTheme} />
        <Button
          icon="keyboard"
          kind="bare"
          label="Keys"
          hint="?"
          onClick={() => {
            helpIsOpen.value = true;
          }}
        />
        {session.value?.signedIn === true && <SignOut who={session.value.who ?? "somebody"} />}
      </div>
    </header>
  );
}

function SignOut({ who }: { who: string }) {
  const [hasFailed, setFailed] = useState(false);
  return (
    <Button onClick={() => void signOut().catch(() => setFailed(true))} label={`Signed in as ${who}`}>
      {hasFailed ? "Not signed out: try again" : "Sign out"}
    </Button>
  );
}

function NotFound() {
  return (
    <Empty title="There is no such page">
      The address may have been cut. <a href={href(["live"])}>Go to the live events</a>
    </Empty>
  );
}

function commandsOfShell(): Command[] {
  const group = "Everywhere";
  const open = (flag: { value: boolean }) => () => {
    flag.value = true;
  };
  return [
    ...PAGES.flatMap(({ id, title, nav }) =>
      nav === undefined ? [] : [{ group: "Go to", words: title, keys: nav.keys, run: () => go(href([id])) }],
    ),
    { group, words: "Search for anything", keys: "$mod+k", run: open(paletteIsOpen) },
    { group, words: "Show the keys", keys: "Shift+?", run: open(helpIsOpen) },
    { group, words: "Change the colours", keys: "Shift+T", run: nextTheme },
    {
      group,
      words: "Show times as ages or as times of the day",
      keys: "Shift+A",
      run: () => {
        showsAges.value = !showsAges.value;
      },
    },
  ];
}
