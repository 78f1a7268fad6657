//! The shim's part of its own page: runs the adapter beside the vendor's bundle and passes texts between it and the
//! shim. A classic script, loaded before the bundle, that keeps what it needs of the page for itself, and touches
//! nothing that a bundle sees: no class of the browser is wrapped or replaced.

'use strict';

(() => {
  const { setTimeout, Date, MessageChannel, Promise, WebSocket } = globalThis;
  const say = globalThis.tellShim;
  /** What is being done for the client and is no request: reading a file, drawing it. */
  const pending = new Set();
  let run = null;
  let attach = null;
  /** The harness's, when the page has it. @type {import('../../node/browser/clock.mjs').VirtualClock | null} */
  let clock = null;
  /** Timers so short that they mean "next", not "later". */
  let hops = 0;

  // The page before was another device.
  localStorage.clear();
  sessionStorage.clear();
  const forgotten = indexedDB.databases().then((list) => Promise.all(list.map(({ name }) => done(indexedDB.deleteDatabase(name)))));

  const tell = (event) => say(JSON.stringify({ event }));

  /** @type {import('../../node/device.mjs').User} */
  const user = {
    /** The shim has given the file to the input: it waits for the command until that is done. */
    fileInput: () => input('file'),
    pasted: () => pasted,
    sha256: (blob, take) => during(digest(blob).then(take)),
  };

  const echo = new WebSocket(`ws://${location.host}/echo`);
  const opened = new Promise((resolve) => (echo.onopen = resolve));

  globalThis.conformance = {
    /** The adapter's files, each of which adds to one object; the last adds `attach`. */
    adapter: (scripts) => {
      const kit = {};
      // A classic script's value is the value of its last statement, which only `eval` gives.
      for (const script of scripts) (0, eval)(script)(kit);
      attach = kit.attach;
    },
    /** A script whose value is `attach` itself. */
    attachment: (script) => void (attach = (0, eval)(script)),
    create: (settingsText) =>
      outcome(() => {
        run = attach(settingsText, (text) => say(`{"event":${text}}`), user);
        return '{"ok":{}}';
      }),
    run: (name, bodyText) => outcome(() => run(name, bodyText)),
    render: ({ handle, url, element }) => outcome(() => (render(handle, url, element), '{"ok":{}}')),
    /**
     * Gives the page the harness's clock in place of the host's, before the bundle asks for the time.
     * @param {(setImmediate: (callback: () => void) => void) => object} classesOf those of `node/browser`
     */
    installClock: (classesOf) => {
      const { VirtualClock, Timers } = classesOf(nextTurn);
      clock = new VirtualClock(Date.now());
      const timers = new Timers(callback, { hop }, clock);
      Object.assign(globalThis, timers.globals(), { Date: timers.date(Date) });
    },
    setClock: (ms) => clock.set(ms),
    due: () => clock.due(),
    pass: (ms) => clock.pass(ms),
    runDue: () => clock.runDue(),
    /**
     * Some rounds through the browser's network process and back, and through this page's event loop.
     * @returns {Promise<number>} how many short timers are still to run
     */
    turn: async (online, rounds) => {
      await Promise.all(pending);
      for (let round = 0; round < rounds; round += 1) {
        if (online) {
          await new Promise((resolve) => {
            echo.onmessage = resolve;
            echo.send('');
          });
        }
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      return hops;
    },
    /** Puts the picture that an input holds on the system's clipboard. */
    copy: (id) => {
      const [file] = input(id).files;
      return navigator.clipboard.write([new ClipboardItem({ [file.type]: file })]);
    },
    /** What is pasted next is kept, if a person did it: `pasted` waits for that. */
    awaitPaste: () => void (paste = new Promise((resolve) => (took = resolve))),
    pasted: async () => void (pasted = await paste),
  };

  let pasted = null;
  let paste = null;
  let took = null;
  document.addEventListener('paste', (event) => {
    const [item] = event.clipboardData.items;
    if (event.isTrusted && item?.kind === 'file') took?.(item.getAsFile());
  });

  addEventListener('load', async () => {
    await Promise.all([opened, forgotten]);
    say('{"ready":{}}');
  });

  function input(id) {
    return document.getElementById(id);
  }

  /** What a callback of the client throws is told as the browser tells it. */
  function callback(call) {
    try {
      call();
    } catch (error) {
      reportError(error);
    }
  }

  function hop() {
    hops += 1;
    let open = true;
    return () => {
      if (open) hops -= 1;
      open = false;
    };
  }

  function nextTurn(work) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      work();
    };
    port2.postMessage(null);
  }

  function outcome(call) {
    try {
      return call();
    } catch (error) {
      return JSON.stringify({ error: error?.message ?? String(error) });
    }
  }

  function during(promise) {
    pending.add(promise);
    const end = () => pending.delete(promise);
    promise.then(end, end);
    return promise;
  }

  async function digest(blob) {
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Audio has no size; the other two have the one that the file says, whatever the page makes of it. */
  function render(handle, url, kind) {
    const element = document.createElement(kind);
    const failed = () => tell({ render_failed: { handle } });
    const drawn = {
      img: () => ({ width: element.naturalWidth, height: element.naturalHeight }),
      video: () => ({ width: element.videoWidth, height: element.videoHeight }),
      audio: () => ({ width: null, height: null }),
    }[kind];
    const shown = new Promise((resolve) => {
      element.addEventListener('error', () => resolve(failed()));
      const loaded = kind === 'img' ? 'load' : 'loadedmetadata';
      element.addEventListener(loaded, () => resolve(tell({ rendered: { handle, ...drawn() } })));
    });
    if (kind !== 'img') Object.assign(element, { controls: true, preload: 'metadata' });
    element.src = url;
    document.getElementById('shown').append(element);
    during(shown);
  }

  function done(request) {
    return new Promise((resolve) => (request.onsuccess = request.onerror = request.onblocked = resolve));
  }
})();
