"""The same page by pystache. usage: print|render TEMPLATE MODEL.json SECONDS"""
import html
import json
import sys
import time

import pystache

mode, template, model, seconds = sys.argv[1:]
with open(template, encoding="utf-8") as f:
    parsed = pystache.parse(f.read())
with open(model, encoding="utf-8") as f:
    model = json.load(f)
renderer = pystache.Renderer(escape=html.escape)

if mode == "print":
    sys.stdout.buffer.write(renderer.render(parsed, model).encode())
else:
    n, began = 0, time.monotonic()
    while (took := time.monotonic() - began) < float(seconds):
        len(renderer.render(parsed, model).encode())
        n += 1
    print(f"{n / took:.1f}")
