import { z } from 'zod';
import { type Endpoint, pathNames } from '../endpoint/endpoint.js';

/** Style of the page; a file of its own, since pages may have no style inside. */
export const DOCS_STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 2rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
h2 { font: 600 1.1rem ui-monospace, monospace; margin: 2rem 0 0; }
code { font-family: ui-monospace, monospace; }
`;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: unknown): string => String(text).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] as string);

/** The endpoints as a page without any script, made from the same table as the OpenAPI document. */
export function docsPage(endpoints: readonly Endpoint[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>flowberry: the API</title>
<link rel="stylesheet" href="/docs.css">
</head>
<body>
<h1>The API of flowberry</h1>
<p>Times are UTC, in µs since 1970, and units stand in the names. A moment in a request is <code>now</code>, <code>15m</code>,
<code>24h</code> or <code>30d</code> ago, µs since 1970, or a date such as <code>2025-06-15T15:06:00Z</code>. What goes wrong is told
as a problem by RFC 9457. <a href="/openapi.json">openapi.json</a> describes the answers.</p>
${endpoints.map(section).join('\n')}
</body>
</html>
`;
}

function section(endpoint: Endpoint): string {
  const { method, path, summary } = endpoint;
  return `<section>
<h2>${escaped(method)} ${escaped(path)}</h2>
<p>${escaped(summary)}</p>
${table(endpoint)}
</section>`;
}

function table(endpoint: Endpoint): string {
  const { properties = {} } = z.toJSONSchema(endpoint.parameters, { io: 'input' }) as {
    properties?: Record<string, Record<string, unknown>>;
  };
  const inPath = pathNames(endpoint);
  const rows = Object.entries(properties).map(([name, schema]) => {
    const place = inPath.includes(name)
      ? 'in the path'
      : schema['default'] === undefined
        ? ''
        : `default ${String(schema['default'])}`;
    return `<tr><td><code>${escaped(name)}</code></td><td>${escaped(valuesOf(schema))}</td><td>${escaped(schema['description'] ?? '')}</td><td>${escaped(place)}</td></tr>`;
  });
  if (rows.length === 0) return '<p>No parameters.</p>';
  return `<table><thead><tr><th>parameter</th><th>value</th><th></th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function valuesOf(schema: Record<string, unknown>): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].join(', ');
  const { type, minimum, maximum } = schema;
  return minimum !== undefined && maximum !== undefined ? `${type}, ${minimum} to ${maximum}` : String(type ?? 'string');
}
