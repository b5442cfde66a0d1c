/** Line drawings of 16 × 16, in the colour of the text around them. */
const SHAPES = {
  live: "M1.5 8h3l2-5 3 10 2-5h3",
  jobs: "M8 1.8 14 5 8 8.2 2 5zM2 8l6 3.2L14 8M2 11l6 3.2 6-3.2",
  allocations: "M8 1.8 13.5 5v6L8 14.2 2.500 11V5zM2.500 5 8 8.200l5.500-3.200M8 8.200v6",
  nodes: "M2 2.500h12v4.500H2zM2 9h12v4.500H2zM4.500 4.750h.01M4.500 11.250h.01",
  deployments: "M8 14V5.500M4.500 8.500 8 5l3.500 3.500M3 2h10",
  evaluations: "M8 2v12M4 14h8M3 4h10M3 4 1.500 9h3zM13 4l-1.500 5h3z",
  namespaces: "M1.800 4V12.700h12.400V5.500H8L6.500 3.300H1.800z",
  feed: "M2 12.500a1.200 1.200 0 1 0 2.400 0 1.200 1.200 0 1 0-2.400 0M2 7.500a6 6 0 0 1 6 6M2 3a10.500 10.500 0 0 1 10.500 10.500",
  state: "M2 3h12v10.500H2zM2 6.500h12M6.500 6.500v7",
  cluster:
    "M8 2.200a1.800 1.800 0 1 0 .01 0M3.500 10.500a1.800 1.800 0 1 0 .01 0M12.500 10.500a1.800 1.800 0 1 0 .01 0M7 5.500 4.500 10.500M9 5.500l2.500 5M5.500 12.300h5",
  alerts:
    "M8 2a4.200 4.200 0 0 0-4.200 4.200c0 4-1.600 5-1.600 5h11.600s-1.600-1-1.600-5A4.200 4.200 0 0 0 8 2M6.700 13.500a1.500 1.500 0 0 0 2.600 0",
  deliveries: "M14 2 7.500 8.500M14 2 9.800 14 7.500 8.500 2 6.200z",
  search: "M7 2.500a4.500 4.500 0 1 0 .01 0M10.300 10.300 14 14",
  pause: "M5.500 3v10M10.500 3v10",
  play: "M4.500 2.800v10.400L13 8z",
  clock: "M8 2a6 6 0 1 0 .01 0M8 4.800V8l2.300 1.500",
  close: "M3.500 3.500l9 9M12.500 3.500l-9 9",
  down: "M3.500 6 8 10.500 12.500 6",
  right: "M6 3.500 10.500 8 6 12.500",
  up: "M3.500 10 8 5.500 12.500 10",
  copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
  download: "M8 2v8M4.500 7 8 10.500 11.500 7M2.500 13.500h11",
  warning: "M8 2 14.500 13.500h-13zM8 6.500v3.200M8 11.600v.01",
  theme: "M8 2a6 6 0 1 0 .01 0M8 2v12",
  keyboard: "M1.500 4h13v8.500h-13zM4 6.700h.01M7 6.700h.01M10 6.700h.01M12.300 6.700h.01M5 10h6",
  more: "M3 8h.01M8 8h.01M13 8h.01",
  edit: "M2.500 13.500v-2.800L10.700 2.500l2.800 2.800L5.300 13.500zM9 4.200 11.800 7",
  filter: "M2 3.500h12L9.500 8.700v4.300l-3-1.500V8.700z",
  external: "M9 2.500h4.500V7M13.500 2.500 7.500 8.500M11.500 9v4.500h-9v-9H7",
} as const;
export type IconName = keyof typeof SHAPES;

export function isIcon(name: string): name is IconName {
  return name in SHAPES;
}

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.35"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={SHAPES[name]} />
    </svg>
  );
}
