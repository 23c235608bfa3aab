// What pages gain with a script; without it they work all the same. No dependencies.
(() => {
	"use strict";
	const $ = (s, from = document) => from.querySelector(s);
	const $$ = (s, from = document) => [...from.querySelectorAll(s)];
	const root = document.documentElement;
	root.classList.add("js");
	const say = (text) => {
		const box = $("#say");
		if (box) box.textContent = text;
	};
	const inField = (e) => e.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
	const parse = (text) => new DOMParser().parseFromString(text, "text/html");

	// --- live parts: bring an element to what the server says, touching only what differs, so that
	// focus, scroll, selection, open details and ticked boxes stay -------------------------------
	const keyOf = (n) => n.nodeType === 1 && (n.id || n.dataset.key || n.dataset.href) || null;
	const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
	const attributes = (now, next) => {
		for (const { name } of [...now.attributes])
			if (!next.hasAttribute(name) && name !== "open" && name !== "aria-disabled") now.removeAttribute(name);
		for (const { name, value } of next.attributes)
			if (name !== "open" && now.getAttribute(name) !== value) now.setAttribute(name, value);
	};
	const children = (now, next) => {
		const keyed = new Map();
		for (const n of now.childNodes) if (keyOf(n)) keyed.set(keyOf(n), n);
		let at = now.firstChild;
		for (const wanted of [...next.childNodes]) {
			const key = keyOf(wanted);
			const known = key && keyed.get(key);
			if (known && known !== at && alike(known, wanted)) now.insertBefore(known, at);
			else if (!at || !alike(at, wanted)) {
				const old = at && !keyOf(at) && at.nodeType === wanted.nodeType && !key ? at : null;
				const made = document.importNode(wanted, true);
				if (old) now.replaceChild(made, old);
				else now.insertBefore(made, at);
				at = made.nextSibling;
				continue;
			}
			const same = known && alike(known, wanted) ? known : at;
			morph(same, wanted);
			at = same.nextSibling;
		}
		while (at) {
			const gone = at;
			at = at.nextSibling;
			gone.remove();
		}
	};
	const morph = (now, next) => {
		if (now.nodeType !== 1) {
			if (now.nodeValue !== next.nodeValue) now.nodeValue = next.nodeValue;
		} else if (!now.isEqualNode(next)) {
			attributes(now, next);
			if (now.nodeName !== "TEXTAREA") children(now, next);
		}
	};
	const selecting = () => {
		const s = getSelection();
		return s && !s.isCollapsed && s.anchorNode && s.anchorNode.parentElement?.closest("[data-live]");
	};
	let busy = false, asked = 0, leaving = false;
	const refresh = async () => {
		if (busy || leaving || document.hidden || selecting() || $("dialog[open]")) return;
		busy = true;
		asked = Date.now();
		try {
			const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
			if (answer.redirected && new URL(answer.url).pathname === "/login") location.reload();
			else if (answer.ok) {
				const page = parse(await answer.text());
				for (const part of $$("[data-live][id]")) {
					const next = page.getElementById(part.id);
					if (next) morph(part, next);
				}
				tick();
			}
		} catch { /* the network is away: the next turn tries again */ }
		busy = false;
	};
	const parts = () => $$("[data-live][id]");
	const pause = () => Math.min(...parts().map((p) => (Number(p.dataset.live) || 4) * 1000));
	let stream = null, hint = 0;
	const listen = () => {
		if (document.hidden || !window.EventSource || !parts().length) {
			stream?.close();
			stream = null;
		} else if (!stream || stream.readyState === 2) {
			stream = new EventSource("/events");
			stream.onmessage = () => {
				clearTimeout(hint);
				hint = setTimeout(refresh, Math.max(150, 1000 - (Date.now() - asked)));
			};
			// Refused for good (signed out, too many): polling goes on alone.
			stream.onerror = () => { if (stream?.readyState === 2) stream = { readyState: 0, close() {} }; };
		}
	};
	if (parts().length) {
		asked = Date.now();
		setInterval(() => { if (Date.now() - asked >= pause()) refresh(); }, 1000);
		document.addEventListener("visibilitychange", () => { listen(); refresh(); });
		addEventListener("load", () => setTimeout(listen, 200));
	}
	addEventListener("pagehide", () => { leaving = true; stream?.close(); stream = null; });
	addEventListener("pageshow", (e) => {
		leaving = false;
		if (!e.persisted) return;
		for (const f of $$("form[data-sent]")) release(f);
		listen();
		refresh();
	});

	// --- times that tick; the server's clock counts, not this machine's --------------------------
	const skew = root.dataset.now ? Date.parse(root.dataset.now) - Date.now() : 0;
	const ago = (when) => {
		const d = Math.trunc((Date.now() + skew - when) / 1000), s = Math.abs(d);
		if (s < 10) return d < 0 ? "in a moment" : "just now";
		const [n, unit] = s < 60 ? [s, "s"] : s < 3600 ? [s / 60, "min"] : s < 86400 ? [s / 3600, "h"]
			: [s / 86400, s < 172800 ? "day" : "days"];
		return d < 0 ? `in ${Math.trunc(n)} ${unit}` : `${Math.trunc(n)} ${unit} ago`;
	};
	const tick = () => {
		for (const t of $$("time.ago")) {
			const text = ago(Date.parse(t.dateTime));
			if (t.textContent !== text) t.textContent = text;
		}
	};
	setInterval(() => { if (!document.hidden) tick(); }, 10000);

	// --- questions before something starts or ends ---------------------------------------------
	const ask = (button) => {
		const box = document.createElement("dialog");
		box.setAttribute("aria-labelledby", "question");
		box.innerHTML = '<p id="question"></p><div class="actions"><button class="button" type="button">Cancel' +
			'</button><button class="button" type="button" autofocus></button></div>';
		const n = $$("td.pick input:checked", button.form).length;
		$("#question", box).textContent = button.dataset.confirm.replace("the selected leads",
			n === 1 ? "this lead" : `these ${n} leads`);
		const [no, yes] = $$("button", box);
		yes.textContent = button.textContent.trim();
		yes.classList.add(button.classList.contains("danger") ? "danger" : "primary");
		no.onclick = () => box.close();
		yes.onclick = () => {
			box.close("yes");
			button.dataset.sure = "1";
			button.form.requestSubmit(button);
			delete button.dataset.sure;
		};
		box.onclick = (e) => { if (e.target === box) box.close(); };
		box.onclose = () => { box.remove(); if (box.returnValue !== "yes") button.focus(); };
		document.body.append(box);
		box.showModal();
	};

	// --- forms: sent once ------------------------------------------------------------------------
	const release = (form) => {
		delete form.dataset.sent;
		for (const b of $$("[aria-disabled=true]", form)) b.removeAttribute("aria-disabled");
	};
	document.addEventListener("submit", (e) => {
		const form = e.target, button = e.submitter;
		if (button?.dataset.confirm && !button.dataset.sure) {
			e.preventDefault();
			ask(button);
		} else if (form.dataset.sent) e.preventDefault();
		else if (form.method === "post" && !form.target) {
			form.dataset.sent = "1";
			for (const b of $$("button:not([type=button])", form)) b.setAttribute("aria-disabled", "true");
			// A download answers without a new page.
			setTimeout(() => release(form), 8000);
		}
	});
	document.addEventListener("change", (e) => {
		const form = e.target.form;
		if (form?.hasAttribute("data-auto")) form.requestSubmit();
		if (e.target.type === "file") fileNames(e.target);
		if (e.target.matches("[data-all], .pick input")) picked(e.target);
	});

	// --- what is typed, as it would read: form[data-preview=URL] fills #preview ---------------------
	let typing = 0, turn = 0;
	const preview = async (form) => {
		const mine = ++turn, box = $("#preview");
		try {
			const answer = await fetch(form.dataset.preview, {
				method: "POST", credentials: "same-origin", body: new URLSearchParams(new FormData(form)),
			});
			const page = parse(await answer.text());
			if (box && mine === turn) children(box, page.getElementById("preview") || page.body);
		} catch { /* the next key tries again */ }
	};
	document.addEventListener("input", (e) => {
		const form = e.target.form;
		if (!form?.dataset.preview) return;
		clearTimeout(typing);
		typing = setTimeout(preview, 400, form);
	});

	// --- rows, copying, clicks outside of open panels ----------------------------------------------
	document.addEventListener("click", async (e) => {
		for (const open of $$("details.confirm[open], .rest details[open]"))
			if (!open.contains(e.target)) open.open = false;
		const copy = e.target.closest("[data-copy]");
		if (copy) {
			e.preventDefault();
			try {
				await navigator.clipboard.writeText(copy.dataset.copy || $(copy.dataset.copyFrom).innerText);
				say("Copied");
				const before = copy.title;
				copy.title = "Copied";
				copy.classList.add("copied");
				setTimeout(() => { copy.title = before; copy.classList.remove("copied"); }, 1500);
			} catch { say("Copying is not allowed here"); }
			return;
		}
		const row = e.target.closest("tr[data-href]");
		if (!row || e.target.closest("a, button, input, label, select, summary, details")) return;
		if (String(getSelection())) return;
		if (e.metaKey || e.ctrlKey) open(row.dataset.href);
		else location.href = row.dataset.href;
	});

	// --- selection in lists ----------------------------------------------------------------------
	const picked = (box) => {
		const table = (box || document).closest?.("form") || $("form:has(.pick)");
		if (!table) return;
		const boxes = $$("td.pick input", table);
		if (box?.hasAttribute("data-all")) for (const b of boxes) b.checked = box.checked;
		const n = boxes.filter((b) => b.checked).length, bulk = $(".bulk", table);
		if (!bulk) return;
		bulk.hidden = n === 0;
		const count = $("[data-count]", bulk);
		if (count) count.textContent = `${n} selected`;
	};
	picked();

	// --- files: drop them anywhere on their field -------------------------------------------------
	const fileNames = (input) => {
		const shown = $("[data-file-name]", input.closest(".drop, .field, form"));
		if (shown) shown.textContent = [...input.files].map((f) => f.name).join(", ");
	};
	for (const type of ["dragover", "dragleave", "drop"])
		document.addEventListener(type, (e) => {
			const zone = e.target.closest?.(".drop"), input = zone && $("input[type=file]", zone);
			if (!input) return;
			e.preventDefault();
			zone.classList.toggle("over", type === "dragover");
			if (type !== "drop" || !e.dataTransfer.files.length) return;
			input.files = e.dataTransfer.files;
			input.dispatchEvent(new Event("change", { bubbles: true }));
		});

	// --- keyboard ------------------------------------------------------------------------------
	const places = { d: "/", l: "/leads", c: "/campaigns", i: "/imports", k: "/calls", p: "/prompts",
		s: "/settings" };
	const keys = [["/", "Search"], ["g then d", "Dashboard"], ["g then l", "Leads"], ["g then c", "Campaigns"],
		["g then i", "Imports"], ["g then k", "Calls"], ["g then p", "Prompts"], ["g then s", "Settings"],
		["j  k", "Next, previous row"], ["Enter", "Open the row"], ["x", "Select the row"], ["?", "This list"]];
	const help = () => {
		if ($("dialog[open]")) return;
		const box = document.createElement("dialog");
		box.setAttribute("aria-label", "Keyboard");
		box.innerHTML = '<h2>Keyboard</h2><dl class="dl"></dl><form method="dialog" class="actions">' +
			'<button class="button" autofocus>Close</button></form>';
		for (const [key, what] of keys) {
			const dt = document.createElement("dt"), kbd = document.createElement("kbd");
			const dd = document.createElement("dd");
			kbd.textContent = key;
			dt.append(kbd);
			dd.textContent = what;
			$("dl", box).append(dt, dd);
		}
		box.onclose = () => box.remove();
		document.body.append(box);
		box.showModal();
	};
	const step = (by) => {
		const rows = $$("tr[data-href]"), at = rows.findIndex((r) => r.classList.contains("at"));
		const row = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
		if (!row) return;
		rows[at]?.classList.remove("at");
		row.classList.add("at");
		$("a[href]", row)?.focus({ preventScroll: true });
		row.scrollIntoView({ block: "nearest" });
	};
	let going = 0;
	document.addEventListener("keydown", (e) => {
		if (e.key === "Escape") for (const open of $$("details.confirm[open], .rest details[open]")) {
			open.open = false;
			$("summary", open).focus();
		}
		if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || inField(e) || $("dialog[open]")) return;
		const after = Date.now() - going < 1200;
		going = 0;
		if (after && places[e.key]) location.href = places[e.key];
		else if (e.key === "g") going = Date.now();
		else if (e.key === "/") {
			const field = $("[data-search]") || $("#find");
			e.preventDefault();
			field?.focus();
			field?.select();
		} else if (e.key === "j") step(1);
		else if (e.key === "k") step(-1);
		else if (e.key === "x") $("tr.at .pick input")?.click();
		else if (e.key === "?") help();
	});
	$("[data-focus]")?.focus();
})();
