/** The address of a page of Nomad's UI, `page` of an alert; undefined where it is not known where that is. */
export function pageUrlOf(ui: string | undefined): (page: string) => string | undefined {
  if (ui === undefined) return () => undefined;
  const base = `${ui.replace(/\/(?:ui\/?)?$/, "")}/ui/`;
  return (page) => `${base}${page}`;
}
