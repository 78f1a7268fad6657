//! What was seen of a run, a lane a column: arrows in the order of the tape, opened where somebody looks.

/** Who stands left and right of a lane, and how an arrow is told. */
const LANES = {
  driver: { left: 'harness', right: 'client', name: 'driver' },
  socket: { left: 'client', right: 'server', name: 'sockets' },
  http: { left: 'client', right: 'server', name: 'HTTP' },
  control: { left: 'harness', right: 'world', name: 'control' },
};
const WAYS = {
  to_client: { to: 'right', words: 'harness → client' },
  from_client: { to: 'left', words: 'client → harness' },
  up: { to: 'right', words: 'client → server' },
  down: { to: 'left', words: 'server → client' },
  here: { to: 'none', words: 'here' },
};
/** A longer gap between two moments gets a line of its own, in ms of the world's clock. */
const GAP_MS_MIN = 1000;

/** `tell alice send_text`; the words of a step as its file has them. */
const stepWords = (step) => {
  const [verb, what] = Object.entries(step ?? {})[0] ?? ['', undefined];
  const inner = what && typeof what === 'object' ? what.command ?? what.event ?? what.fault ?? what.control : undefined;
  const name = inner && typeof inner === 'object' ? Object.keys(inner)[0] : typeof inner === 'string' ? inner : undefined;
  const plain = what === null || typeof what !== 'object' ? what : what.ms !== undefined ? lasted(what.ms) : undefined;
  return [verb, what?.user, name ?? plain, what?.count > 1 ? `× ${what.count}` : undefined].filter((word) => word !== undefined && word !== null && word !== '').map(String);
};

/**
 * The diagram of one run. `light(step)` is called where a step is looked at; `failed` maps a step to what was not as
 * expected there; `toLine(step)` goes to its line in the scenario's text.
 */
const laneDiagram = ({ evidence, steps, failed, light, toLine, picked, begin }) => {
  const { lanes, moments } = evidence;
  const kinds = Object.keys(LANES).filter((kind) => lanes.some((lane) => lane.kind === kind));
  const hidden = new Set();
  const list = h('ol', { class: 'moments', 'aria-label': 'Moments' });
  const board = h('div', { class: 'board' });
  const box = h('div', { class: 'lanes', tabindex: -1 }, board);
  board.style.setProperty('--lanes', lanes.length);

  const title = ({ title: whole }) => {
    const at = whole.lastIndexOf(', ');
    return at < 0 ? [h('b', {}, whole)] : [h('b', {}, whole.slice(0, at)), h('span', {}, whole.slice(at + 2))];
  };
  const heads = lanes.map((lane, at) => {
    const head = h('div', { class: `lane-head ${lane.kind}` }, h('span', { class: 'title' }, title(lane)), h('span', { class: 'ends' }, h('i', {}, LANES[lane.kind].left), h('i', {}, LANES[lane.kind].right)));
    head.style.gridColumn = at + 2;
    return head;
  });
  const rails = h('div', { class: 'rails', 'aria-hidden': 'true' }, lanes.map((lane, at) => {
    const rail = h('i', { class: lane.kind });
    rail.style.gridColumn = at + 2;
    return rail;
  }));
  board.append(h('div', { class: 'lane-heads' }, h('span', { class: 'when' }, 'time'), heads), rails, list);

  const arrows = [];
  /** The whole of a moment, below its arrow. */
  const frame = (moment, at) => {
    const lane = lanes[moment.lane];
    const text = h('pre', { tabindex: 0, 'aria-label': `${moment.label}, decoded` }, moment.text.length > COLOURED_CHARACTERS_MAX ? moment.text : moment.text.split('\n').map((line) => hanging(`${line}\n`, h('span', { class: 'hanging' }))));
    const facts = [lane?.title, WAYS[moment.way].words, moment.step && `step ${moment.step}`, moment.at_ms !== null && `at ${lasted(moment.at_ms)}`].filter(Boolean).join(' · ');
    return h('div', { class: 'frame', id: `frame-${at}` }, h('p', {}, h('b', {}, moment.label), ` ${facts}`, copyButton(`moment ${at + 1}`, moment.text, text)), text);
  };
  const isOpen = (at) => arrows[at].getAttribute('aria-expanded') === 'true';
  const toggle = (at, opening = !isOpen(at)) => {
    const arrow = arrows[at];
    if (opening === isOpen(at)) return;
    arrow.setAttribute('aria-expanded', String(opening));
    const row = arrow.parentElement;
    row.classList.toggle('opened', opening);
    if (opening) row.append(frame(moments[at], at));
    else row.querySelector('.frame').remove();
  };
  const tabStop = (at) => {
    for (const arrow of arrows) arrow.tabIndex = -1;
    if (arrows[at]) arrows[at].tabIndex = 0;
  };
  const visible = (at) => !arrows[at].parentElement.hidden;
  const go = (at) => {
    if (!arrows[at]) return;
    tabStop(at);
    arrows[at].focus({ preventScroll: true });
    arrows[at].scrollIntoView({ block: 'nearest', inline: 'nearest' });
  };
  /** The next moment that is shown, from `at` on. */
  const next = (at, by) => {
    for (let one = at + by; one >= 0 && one < arrows.length; one += by) if (visible(one)) return one;
    return at;
  };

  // Rows: steps as headings, gaps of time, what is left out, and a moment each.
  let step;
  let begun = false;
  let clock = null;
  const failures = new Map(failed);
  const failure = (number) => {
    for (const words of failures.get(number) ?? []) {
      list.append(h('li', { class: 'failure', 'data-step': number }, h('span', {}, sign('✕ '), h('b', {}, 'not as expected: '), words)));
    }
    failures.delete(number);
  };
  const passOn = (at) => {
    // What went wrong at a step stands behind the last moment of the step.
    if (step !== undefined && !moments.slice(at).some((later) => later.step === step)) failure(step);
  };
  moments.forEach((moment, at) => {
    const own = moment.step ?? undefined;
    if (own !== step || at === 0) {
      passOn(at);
      begun ||= own !== undefined;
      step = own;
      const words = step === undefined ? [] : stepWords(steps[step - 1]);
      list.append(h('li', { class: 'step', 'data-step': step }, step === undefined
        ? h('span', {}, begun ? 'after the last step' : 'before the first step')
        : h('button', { type: 'button', onclick: () => toLine(moment.step), 'aria-label': `Step ${step}, ${words.join(' ')}: show it in the scenario` }, h('b', {}, step), ...words.map((word) => h('span', {}, word)))));
    }
    if (moment.at_ms !== null && clock !== null && moment.at_ms - clock >= GAP_MS_MIN) list.append(h('li', { class: 'gap' }, h('span', {}, `${lasted(moment.at_ms - clock)} later`)));
    const tells = moment.at_ms !== null && moment.at_ms !== clock;
    if (moment.at_ms !== null) clock = moment.at_ms;
    const kind = lanes[moment.lane]?.kind ?? 'control';
    const arrow = h('button', {
      type: 'button', class: `arrow ${kind} ${WAYS[moment.way].to}`, tabindex: -1, 'aria-expanded': 'false', onclick: () => {
        tabStop(at);
        toggle(at);
        if (isOpen(at)) picked(at);
      },
    }, h('span', { class: 'label' }, moment.label), unseen(`, ${lanes[moment.lane]?.title ?? ''}, ${WAYS[moment.way].words}`));
    arrow.style.gridColumn = moment.lane + 2;
    arrow.at = at;
    arrows.push(arrow);
    const row = h('li', { class: 'moment', 'data-step': moment.step ?? undefined, 'data-kind': kind }, h('span', { class: 'when' }, tells ? lasted(moment.at_ms) : ''), arrow);
    list.append(row);
    if (evidence.left_out > 0 && at === evidence.left_out_after) list.append(h('li', { class: 'gap left-out' }, h('span', {}, `${plural(evidence.left_out, 'moment')} left out here`)));
  });
  passOn(moments.length);
  for (const number of [...failures.keys()]) failure(number);

  list.addEventListener('keydown', (event) => {
    if (event.altKey || event.metaKey || event.ctrlKey || event.target.at === undefined) return;
    const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    const at = event.target.at;
    if (by) go(next(at, by));
    else if (event.key === 'Home') go(next(-1, 1));
    else if (event.key === 'End') go(next(arrows.length, -1));
    else return;
    event.preventDefault();
  });
  const stepAt = (event) => {
    const number = Number(event.target.closest('[data-step]')?.dataset.step);
    return number || undefined;
  };
  list.addEventListener('pointerover', (event) => light(stepAt(event)));
  list.addEventListener('pointerleave', () => light(undefined));
  list.addEventListener('focusin', (event) => light(stepAt(event), 'scroll'));
  // One name is one value: where it is pointed at, it is lit wherever it is shown.
  board.addEventListener('pointerover', (event) => {
    const alias = event.target.dataset?.alias;
    for (const one of board.querySelectorAll('.alias')) one.classList.toggle('same', one.dataset.alias === alias);
  });

  const kindChips = kinds.length > 1 ? kinds.map((kind) => {
    const button = h('button', {
      type: 'button', class: `chip ${kind}`, 'aria-pressed': 'true', onclick: () => {
        if (!hidden.delete(kind)) hidden.add(kind);
        button.setAttribute('aria-pressed', String(!hidden.has(kind)));
        for (const row of list.querySelectorAll('.moment')) row.hidden = hidden.has(row.dataset.kind);
        const columns = lanes.map((lane) => (hidden.has(lane.kind) ? '0' : 'minmax(var(--lane), 1fr)'));
        board.style.setProperty('--columns', columns.join(' '));
        board.style.setProperty('--lanes', lanes.filter((lane) => !hidden.has(lane.kind)).length);
        lanes.forEach((lane, at) => {
          heads[at].hidden = hidden.has(lane.kind);
          rails.children[at].hidden = hidden.has(lane.kind);
        });
        if (arrows.length > 0) tabStop(next(-1, 1));
      },
    }, LANES[kind].name);
    return button;
  }) : [];
  const all = h('button', {
    type: 'button', class: 'chip', onclick: () => {
      const opening = arrows.some((_, at) => visible(at) && !isOpen(at));
      arrows.forEach((_, at) => { if (visible(at)) toggle(at, opening); });
      all.textContent = opening ? 'Close all frames' : 'Open all frames';
    },
  }, 'Open all frames');
  if (arrows.length > 0) tabStop(begin < arrows.length ? begin : 0);
  return {
    chips: h('div', { class: 'chips', role: 'group', 'aria-label': 'Lanes' }, kindChips, arrows.length > 0 && all),
    element: moments.length > 0 ? box : h('p', { class: 'nothing' }, 'Nothing was seen.'),
    /** Lights the moments of a step. */
    light: (number) => {
      for (const row of list.children) row.classList.toggle('lit', number !== undefined && row.dataset.step === String(number));
    },
    /** Goes to the first moment of a step. */
    toStep: (number) => {
      const at = moments.findIndex((moment, one) => moment.step === number && visible(one));
      if (at >= 0) go(at);
      return at >= 0;
    },
    show: (at) => {
      if (!arrows[at]) return;
      toggle(at, true);
      go(at);
    },
    /** Scrolls the lanes, and nothing else, to where reading begins. */
    reveal: () => {
      const arrow = arrows[Math.min(begin, arrows.length - 1)];
      if (arrow) box.scrollTop = Math.max(arrow.parentElement.offsetTop - box.clientHeight / 6, 0);
    },
    enter: () => go(arrows.findIndex((arrow) => arrow.tabIndex === 0)),
    /** Closes what is open; whether anything was. */
    closeAll: () => {
      const open = arrows.map((_, at) => at).filter(isOpen);
      for (const at of open) toggle(at, false);
      return open.length > 0;
    },
  };
};
