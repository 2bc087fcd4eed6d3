/** Times of day as the user of Home Assistant reads them. */

import type { HomeAssistant } from "./types";

export function timeOf(hass: HomeAssistant, moment: string, now = new Date()): string {
  const when = new Date(moment);
  const zone = hass.locale.time_zone === "server" ? hass.config.time_zone : undefined;
  const hour12 = { "12": true, "24": false }[hass.locale.time_format ?? ""];
  const options: Intl.DateTimeFormatOptions = {
    hour: "numeric",
    minute: "2-digit",
    ...(zone === undefined ? {} : { timeZone: zone }),
    ...(hour12 === undefined ? {} : { hour12 }),
  };
  const day = (date: Date) => date.toLocaleDateString("en", zone === undefined ? {} : { timeZone: zone });
  if (day(when) === day(now)) options.second = "2-digit";
  else Object.assign(options, { day: "numeric", month: "short" });
  return new Intl.DateTimeFormat(hass.locale.language, options).format(when);
}

/** How sure a model is, in percent: its estimate is never a certainty. */
export function sure(share: number): number {
  return Math.min(99, percent(share));
}

export function percent(share: number): number {
  return Math.round(100 * share);
}
