/** Finds satellites in what the frontend knows of devices and entities. */

import type { HomeAssistant } from "./types";

const DOMAIN = "echonet";

/** Whether a device is a satellite: those alone can be told to listen. */
function isSatellite(hass: HomeAssistant, deviceId: string): boolean {
  return Object.values(hass.entities).some(
    (entity) => entity.device_id === deviceId && entity.platform === DOMAIN && entity.translation_key === "listening",
  );
}

/** The device ids of all satellites, by their names. */
export function satellites(hass: HomeAssistant): string[] {
  const nameOf = (id: string) => hass.devices[id]?.name_by_user ?? hass.devices[id]?.name ?? "";
  return Object.keys(hass.devices)
    .filter((id) => isSatellite(hass, id))
    .sort((one, other) => nameOf(one).localeCompare(nameOf(other)));
}

/** The device of the satellite with this id of its own. */
export function deviceOf(hass: HomeAssistant, satelliteId: string): string | undefined {
  return Object.values(hass.devices).find((device) =>
    device.identifiers.some(([domain, id]) => domain === DOMAIN && id === satelliteId),
  )?.id;
}

/** The satellite that an entity belongs to. */
export function satelliteOfEntity(hass: HomeAssistant, entityId: string): string | undefined {
  const device = hass.entities[entityId]?.device_id;
  return device !== undefined && isSatellite(hass, device) ? device : undefined;
}
