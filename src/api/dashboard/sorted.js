import { fill, h, table } from './dom.js';

const collator = new Intl.Collator('en', { sensitivity: 'base' });
/** Of IPv4 addresses .9 stands before .20; hardware addresses have digits that are no numbers. */
const keyOf = (text) => (/^[\d.]+$/.test(text) ? text.replaceAll(/\d+/g, (digits) => digits.padStart(3, '0')) : text);

/**
 * A table whose rows can be sorted by the columns that have `sort`, which gives the value of a row: a number, a text, or null, which
 * stands last either way. The first press sorts numbers by the largest and texts by the alphabet, the second the other way round, the
 * third as the rows came. `order` says how they come: `[head, isDown]`. Only for rows that are all there is to be shown.
 */
export function sortedTable(caption, columns, { order: given = null, ...options } = {}) {
  const element = h('div', {});
  let rows = [];
  let isWhole = true;
  let order = given;
  let isChosen = false;

  const valuesOf = (head) => rows.map(columns.find((column) => column.head === head).sort);
  const sortBy = (head) => {
    const isDownFirst = valuesOf(head).some((value) => typeof value === 'number');
    const isHere = order !== null && order[0] === head;
    const isSecond = isHere && order[1] === isDownFirst;
    isChosen = !isHere || isSecond;
    order = isChosen ? [head, isSecond ? !isDownFirst : isDownFirst] : given;
    draw();
  };
  const sorted = () => {
    if (!isChosen || !isWhole) return rows;
    const [head, isDown] = order;
    const values = valuesOf(head);
    return rows
      .map((row, index) => ({ row, value: values[index] }))
      .sort((a, b) => (a.value === null || b.value === null ? nullsLast(a, b) : compare(a.value, b.value) * (isDown ? -1 : 1)))
      .map(({ row }) => row);
  };
  const draw = () => {
    const left = element.firstElementChild?.scrollLeft ?? 0;
    fill(
      element,
      table(caption, columns, sorted(), { ...options, order: isWhole ? order : given, onSort: isWhole ? sortBy : null }),
    );
    element.firstElementChild.scrollLeft = left;
  };
  return {
    element,
    /** Shows these rows, sorted as before. With more to come there is no sorting: it would pretend that the first are the largest. */
    set(newRows, { isAll = true } = {}) {
      rows = newRows;
      isWhole = isAll;
      draw();
    },
  };
}

const nullsLast = (a, b) => Number(a.value === null) - Number(b.value === null);
const compare = (a, b) => (typeof a === 'number' ? a - b : collator.compare(keyOf(a), keyOf(b)));
