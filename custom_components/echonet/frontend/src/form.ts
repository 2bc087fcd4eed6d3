/** The settings of the card as a form, so that nobody needs YAML. */

import { type Texts, textsOfPage } from "./texts";

interface Field {
  name: string;
}

export function form() {
  return {
    schema: [
      {
        name: "device_id",
        selector: { device: { filter: [{ integration: "echonet" }], entity: [{ domain: "switch" }] } },
      },
      { name: "title", selector: { text: {} } },
      { name: "sounds", default: 5, selector: { number: { min: 0, max: 20, mode: "box" } } },
      { name: "spectrogram", default: true, selector: { boolean: {} } },
      { name: "full_screen_alert", default: true, selector: { boolean: {} } },
    ],
    computeLabel: (field: Field) => textsOfPage()[`editor_${field.name}` as keyof Texts] ?? field.name,
    computeHelper: (field: Field) => textsOfPage()[`editor_${field.name}_help` as keyof Texts],
  };
}
