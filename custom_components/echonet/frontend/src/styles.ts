/** What all parts of the card look like: Home Assistant's own colours, in its light, dark and other themes. */

import { css } from "lit";

export const styles = css`
  :host {
    display: block;
    color: var(--primary-text-color);
  }
  h2,
  h3 {
    margin: 0;
    font-weight: 500;
  }
  h3 {
    font-size: 0.95rem;
    margin-bottom: 6px;
  }
  p {
    margin: 4px 0;
  }
  .quiet {
    color: var(--secondary-text-color);
    font-size: 0.875rem;
  }
  button {
    min-height: 40px;
    padding: 6px 14px;
    border: 1px solid var(--primary-text-color);
    border-radius: 20px;
    background: transparent;
    color: var(--primary-text-color);
    font: inherit;
    font-size: 0.875rem;
    cursor: pointer;
  }
  button:hover {
    background: color-mix(in srgb, currentColor 12%, transparent);
  }
  button:focus-visible,
  a:focus-visible {
    outline: 3px solid var(--primary-text-color);
    outline-offset: 2px;
  }
  button[disabled] {
    opacity: 0.5;
    cursor: default;
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
