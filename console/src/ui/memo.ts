import { Component, type ComponentChild, type ComponentType, type FunctionComponent } from "preact";

/** A component that is drawn again only where something it is given is another. For rows of long lists. */
export function memo<Props extends object>(Plain: FunctionComponent<Props>): ComponentType<Props> {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      const names = Object.keys(next) as (keyof Props)[];
      return names.some((name) => next[name] !== this.props[name]);
    }

    override render(): ComponentChild {
      return Plain(this.props) as ComponentChild;
    }
  };
}
