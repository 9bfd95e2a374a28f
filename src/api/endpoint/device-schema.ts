import { z } from 'zod';
import { us } from './parts.js';

const NAME_CHARACTERS_MAX = 64;
const NOTE_CHARACTERS_MAX = 500;

/** A text of a person: nothing in it that steers a terminal; an empty one is none. */
const words = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]*$/u, 'it holds control characters')
    .transform((value) => (value.trim() === '' ? null : value.trim()))
    .nullable();

/** What may be changed of a device; null or an empty text takes it away. */
export const deviceNoteSchema = z
  .strictObject({
    name: words(NAME_CHARACTERS_MAX).optional().describe('Goes before the names that the device tells.'),
    note: words(NOTE_CHARACTERS_MAX).optional(),
  })
  .refine((body) => body.name !== undefined || body.note !== undefined, 'give name, note, or both');

const sightings = z.array(z.object({ value: z.string(), first_seen_us: us, last_seen_us: us }));

/** A device; its addresses and names, the one seen last first. */
export const deviceSchema = z.object({
  id: z.int().nonnegative(),
  mac: z.string().nullable(),
  vendor: z.string().nullable(),
  /** What a person calls it, or else the best of its names. */
  name: z.string().nullable(),
  addresses: sightings,
  names: sightings,
  first_seen_us: us,
  last_seen_us: us,
  note: z.string().nullable(),
});
