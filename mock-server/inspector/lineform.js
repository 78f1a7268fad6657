//! A fault of one's own, as one line: what is wrong with it is shown at its column.

import { field, h, note } from './element.js';
import { say } from './words.js';
import { Refusal } from './server.js';

/** Where a refusal of a line points, counted from 1; the server says it in words. */
export const columnOf = (words) => Number(/column (\d+)/.exec(words)?.[1]) || undefined;

/** What the server says of the line itself; where that stands in the JSON around it is nothing to whoever typed a line. */
const ofLine = (words) => words.replace(/( at line \d+ column \d+)?; GET \/_mock\/ shows what a body may be$/, '');

/**
 * A field for one line and the button that arms it. `label`, `hint`, `go` and `done` are keys of words, `values`
 * what is put into the last; `send(line)` arms it, and throws a `Refusal` where the server will not.
 */
export const lineForm = ({ name, label, hint, go, done, send }) => {
  const [why, where] = [h('p', {}), h('pre', {})];
  const wrong = h('div', { id: `${name}-error`, class: 'wrong', role: 'alert', translate: 'no', hidden: true }, why, where);
  const examples = h('datalist', { id: `${name}-examples` });
  const line = h('input', { name, class: 'mono', required: true, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', list: examples.id, wPlaceholder: hint, 'aria-describedby': wrong.id });
  const right = () => {
    wrong.hidden = true;
    line.removeAttribute('aria-invalid');
  };
  line.addEventListener('input', right);
  const form = h('form', { class: 'form', onsubmit: async (event) => {
    event.preventDefault();
    try {
      await send(line.value.trim());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const words = error.status === 0 ? say('nobodyAnswers') : error.details.map(ofLine).join('\n');
      const [first, ...rest] = words.split('\n');
      why.textContent = first;
      where.textContent = rest.join('\n');
      wrong.hidden = false;
      line.setAttribute('aria-invalid', 'true');
      line.focus();
      const column = columnOf(words);
      const lead = line.value.length - line.value.trimStart().length;
      if (column) line.setSelectionRange(lead + column - 1, Math.max(line.value.indexOf(' ', lead + column), lead + column));
      return;
    }
    right();
    line.value = '';
    note('good', done);
  } }, field(label, line), examples, wrong, h('div', { class: 'row' }, h('button', { class: 'plain', w: go })));
  return {
    element: form,
    /** Lines that the browser offers. */
    offer: (lines) => examples.replaceChildren(...lines.map((value) => h('option', { value }))),
    begin: (value) => {
      line.value = value;
      right();
      line.focus();
      line.setSelectionRange(value.length, value.length);
    },
  };
};
