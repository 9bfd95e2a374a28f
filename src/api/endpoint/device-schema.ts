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

/** A row of `device_view`. */
export const deviceSchema = z.object({
  id: z.int().nonnegative(),
  mac: z.string().nullable(),
  vendor: z.string().nullable(),
  name: z.string().nullable(),
  addresses: z.array(z.string()),
  first_seen_us: us,
  last_seen_us: us,
  note: z.string().nullable(),
});
