// The same page by npm's mustache or handlebars. usage: ENGINE print|render TEMPLATE MODEL.json SECONDS
"use strict";
const { readFileSync } = require("node:fs");

const [engine, mode, templateFile, modelFile, seconds] = process.argv.slice(2);
const template = readFileSync(templateFile, "utf8");
const model = JSON.parse(readFileSync(modelFile, "utf8"));

function renderer() {
	if (engine === "mustache") {
		const mustache = require("mustache");
		mustache.parse(template); // once: kept in its cache
		return () => mustache.render(template, model);
	}
	// Compiled once; no helpers of our own, so it need not look for any while rendering.
	const page = require("handlebars").compile(template, { knownHelpersOnly: true });
	return () => page(model);
}

const render = renderer();
if (mode === "print") {
	process.stdout.write(render());
} else {
	let sent = 0;
	const run = (ms) => {
		const began = performance.now();
		let n = 0;
		let took;
		do {
			// To bytes: a string of pieces is no page yet.
			for (let i = 0; i < 16; i++) sent += Buffer.from(render(), "utf8").length;
			n += 16;
			took = performance.now() - began;
		} while (took < ms);
		return (n * 1000) / took;
	};
	run(Math.max(1000, seconds * 200)); // until it is compiled
	console.log(run(seconds * 1000).toFixed(1));
	if (!sent) process.exit(1);
}
