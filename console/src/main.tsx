import { render } from "preact";
import { Shell } from "./app/shell.tsx";
import "./styles/tokens.css";
import "./styles/base.css";

const root = document.querySelector("#app");
if (root !== null) render(<Shell />, root);
