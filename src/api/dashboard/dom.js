/** Makes elements. Text from the API becomes text, never markup: nothing here takes HTML. */

/**
 * An element with properties and children. Of the properties, `on…` are listeners, `class` and those with a hyphen are attributes, null
 * leaves one out; children are elements, texts, numbers, lists of them, or null for none.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class' || name.includes('-') || name === 'role') element.setAttribute(name, value);
    else element[name] = value;
  }
  put(element, children);
  return element;
}

function put(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) put(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

/** Puts other children in the place of those that are there. */
export function fill(element, ...children) {
  const path = pathTo(document.activeElement, element);
  element.replaceChildren();
  put(element, children);
  // Who goes by keyboard stays where the same thing stands again.
  if (path) path.reduce((at, index) => at?.children[index], element)?.focus({ preventScroll: true });
}

/** Places of the children that lead from `element` down to `inner`; null if it is not inside. */
function pathTo(inner, element) {
  if (inner === null || inner === element || !element.contains(inner)) return null;
  const path = [];
  for (let at = inner; at !== element; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
}

/** A table with more columns becomes a card for each row where the screen is narrow (`.wide` in narrow.css). */
const NARROW_COLUMNS_MAX = 4;

/**
 * A table. Columns are `{ head, cell, isNumber, className, sort }`, where `cell` gives what a row has there. Rows can be opened with `onOpen`,
 * by click and with the keyboard. `onSort` is told the head of a column with `sort` that is pressed; `order` is `[head, isDown]` or null.
 */
export function table(caption, columns, rows, { onOpen = null, empty = 'Nothing.', order = null, onSort = null } = {}) {
  if (rows.length === 0) return h('p', { class: 'empty' }, empty);
  const cellClass = ({ isNumber, className }) => [isNumber ? 'number' : '', className ?? ''].join(' ').trim() || null;
  return h(
    'div',
    {
      class: `scroll${columns.length > NARROW_COLUMNS_MAX ? ' wide' : ''}${onSort ? ' sorts' : ''}`,
      tabIndex: 0,
      role: 'region',
      'aria-label': caption,
    },
    // Elements that are not laid out as a table lose their roles, unless these are said.
    h(
      'table',
      { role: 'table' },
      h('caption', {}, caption),
      h(
        'thead',
        { role: 'rowgroup' },
        h(
          'tr',
          { role: 'row' },
          columns.map((column) => headCell(column, cellClass(column), order, onSort)),
        ),
      ),
      h(
        'tbody',
        { role: 'rowgroup' },
        rows.map((row) => tableRow(columns, row, cellClass, onOpen)),
      ),
    ),
  );
}

function headCell({ head, sort }, className, order, onSort) {
  const direction = order?.[0] === head ? (order[1] ? 'descending' : 'ascending') : null;
  const content = sort && onSort ? h('button', { type: 'button', onclick: () => onSort(head) }, head) : head;
  return h('th', { scope: 'col', role: 'columnheader', class: className, 'aria-sort': direction }, content);
}

function tableRow(columns, row, cellClass, onOpen) {
  const open = onOpen && (() => onOpen(row));
  // A link in a row leads where it says.
  const click = open && ((event) => event.target.closest('a') || open());
  const keydown = (event) => {
    if (event.key !== 'Enter' || event.target !== event.currentTarget) return;
    // Or else the same key would press the button of the dialog that it opens.
    event.preventDefault();
    open();
  };
  return h(
    'tr',
    open ? { role: 'row', class: 'open', tabIndex: 0, onclick: click, onkeydown: keydown } : { role: 'row' },
    columns.map((column) => h('td', { role: 'cell', class: cellClass(column), 'data-head': column.head }, column.cell(row))),
  );
}

/** A list of pairs. */
export function facts(pairs) {
  return h(
    'dl',
    { class: 'facts' },
    pairs.filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

/** A box with a heading. */
export function panel(title, ...children) {
  return h('section', { class: 'panel' }, h('h2', {}, title), children);
}
