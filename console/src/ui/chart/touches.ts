const EVENTS = { pointerdown: "mousedown", pointermove: "mousemove", pointerup: "mouseup" } as const;

/** Gives a finger that drags over an element to who listens for a mouse alone. A tap becomes a click by itself. */
export function passTouches(element: HTMLElement, onCancel: () => void): void {
  const pass = (type: string, { clientX, clientY, movementX, movementY }: PointerEvent) =>
    element.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX, clientY, movementX, movementY }));
  for (const [pointer, mouse] of Object.entries(EVENTS)) {
    element.addEventListener(pointer, (event) => {
      if (event instanceof PointerEvent && event.pointerType === "touch") pass(mouse, event);
    });
  }
  // It scrolls the page instead.
  element.addEventListener("pointercancel", (event) => {
    onCancel();
    pass("mouseup", event);
  });
}
