// Works without a network; without it the pages show everything, unsorted.
const tables = [...document.querySelectorAll("table")]

// A click on a column's name sorts by it: numbers by value, what is empty last; again: the other way.
const text = (row, i) => (row.cells[i]?.dataset.value ?? row.cells[i]?.firstChild?.textContent ?? "").trim()
const value = t => { const n = parseFloat(t.replaceAll(",", "").replace("−", "-")); return t && !isNaN(n) ? n : null }
for (const table of tables) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells]
  if (body.rows.length < 3) continue
  heads.forEach((head, i) => {
    if (!head.textContent.trim()) return
    const button = document.createElement("button")
    button.append(...head.childNodes)
    head.append(button)
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") === "ascending"
      for (const other of heads) other.removeAttribute("aria-sort")
      head.setAttribute("aria-sort", down ? "descending" : "ascending")
      const rows = [...body.rows].map(row => [text(row, i), row])
      const numbers = rows.filter(([t]) => value(t) !== null).length > rows.length / 2
      rows.sort(([a], [b]) => {
        const [x, y] = numbers ? [value(a), value(b)] : [a, b].map(t => t && t !== "–" ? t : null)
        if (x === null || y === null) return (x === null) - (y === null)
        return (down ? -1 : 1) * (numbers ? x - y : x.localeCompare(y))
      })
      // What a cell repeats may not stand above it any more.
      for (const cell of body.querySelectorAll(".again")) cell.classList.remove("again")
      body.append(...rows.map(([, row]) => row))
    }
  })
}

// A long table has a box: rows stay that hold every word in it.
for (const table of document.querySelectorAll("details.long table")) {
  const label = document.createElement("label"), box = document.createElement("input")
  label.className = "filter"
  box.type = "search"
  label.append("Rows with", box)
  table.parentElement.before(label)
  box.oninput = () => {
    const words = box.value.toLowerCase().split(/\s+/)
    for (const row of table.tBodies[0].rows)
      row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word))
  }
}

// A link into a folded part opens it; paper shows all parts.
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true
  target?.scrollIntoView()
}
addEventListener("hashchange", unfold)
unfold()
addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details")) part.open = true })

for (const list of document.querySelectorAll(".contents ul")) {
  const item = document.createElement("li"), button = document.createElement("button")
  button.textContent = "Open all"
  button.onclick = () => { for (const part of document.querySelectorAll("details.part")) part.open = true }
  item.append(button)
  list.append(item)
}

// Points of a face and rows of their table answer to each other.
for (const faces of document.querySelectorAll(".faces")) {
  const marked = [...faces.querySelectorAll("[data-point]")], said = faces.querySelector("output")
  const mark = event => {
    const point = event.target.closest?.("[data-point]")?.dataset.point
    if (point === undefined) return
    for (const one of marked) one.classList.toggle("on", one.dataset.point === point)
    const row = marked.find(one => one.tagName === "TR" && one.dataset.point === point)
    const names = [...row.closest("table").tHead.rows[0].cells].map(cell => cell.textContent)
    const cells = [...row.cells].map(cell => cell.textContent)
    said.textContent = `${cells[0]}: ${names.slice(1).map((n, i) => `${n} ${cells[i + 1]} %`).join(", ")}`
    if (event.target.tagName === "circle") row.parentElement.parentElement.parentElement.scrollTop = row.offsetTop - 60
  }
  for (const type of ["pointerover", "click"]) faces.addEventListener(type, mark)
}

// Error against cost: axes by the rows of the table below.
for (const chart of document.querySelectorAll(".pareto")) {
  const svg = chart.querySelector("svg"), said = chart.querySelector("output")
  const models = [...document.querySelectorAll("tr[data-model]")].map(row => JSON.parse(row.dataset.model))
  const make = (tag, at, inner = "") => {
    const one = document.createElementNS("http://www.w3.org/2000/svg", tag)
    for (const [key, v] of Object.entries(at)) one.setAttribute(key, v)
    one.textContent = inner
    svg.append(one)
    return one
  }
  const draw = () => {
    svg.replaceChildren()
    const cost = chart.querySelector("[name=cost]:checked").value, peers = chart.querySelector("[name=peers]").checked
    const unit = cost === "mb" ? "MB" : "ms"
    const shown = models.filter(m => m[cost] && (m.ours || peers)).sort((a, b) => a[cost] - b[cost])
    const costs = shown.map(m => Math.log10(m[cost])), errors = shown.map(m => m.nme)
    const [left, right] = [Math.min(...costs) - .15, Math.max(...costs) + .35]
    const [low, high] = [Math.min(...errors) - .15, Math.max(...errors) + .15]
    const x = m => 60 + 640 * (Math.log10(m[cost]) - left) / (right - left), y = nme => 330 - 310 * (nme - low) / (high - low)
    for (let power = Math.floor(left); power <= right; power++) for (const step of [1, 2, 5]) {
      const at = Math.log10(step) + power
      if (at < left || at > right) continue
      const px = x({ [cost]: 10 ** at })
      make("line", { class: "axis", x1: px, x2: px, y1: 20, y2: 330 })
      make("text", { x: px, y: 350, "text-anchor": "middle" }, `${+(10 ** at).toPrecision(1)}`)
    }
    for (let nme = Math.ceil(low * 5) / 5; nme <= high; nme += .2) {
      make("line", { class: "axis", x1: 60, x2: 700, y1: y(nme), y2: y(nme) })
      make("text", { x: 54, y: y(nme) + 4, "text-anchor": "end" }, nme.toFixed(1))
    }
    make("text", { x: 380, y: 374, "text-anchor": "middle" }, cost === "mb" ? "file, MB" : "one image, ms")
    make("text", { x: 64, y: 14 }, "inter-ocular NME, %")
    let best = Infinity, path = ""
    for (const m of shown) if (m.nme < best) { path += path ? `H${x(m)}V${y(m.nme)}` : `M${x(m)} ${y(m.nme)}`; best = m.nme }
    make("path", { class: "front", d: `${path}H700` })
    const taken = shown.map(m => [x(m) - 9, x(m) + 9, y(m.nme) - 9, y(m.nme) + 9])
    for (const m of shown) {
      const dot = make("circle", { cx: x(m), cy: y(m.nme), r: m.ours ? 9 : 7, class: m.ours ? "ours" : "" })
      dot.onpointerenter = dot.onclick = () => {
        for (const other of svg.querySelectorAll("circle")) other.classList.toggle("on", other === dot)
        said.textContent = `${m.name}: NME ${m.nme.toFixed(2)} %, ${m.mb.toFixed(2)} MB${m.ms ? `, ${m.ms.toFixed(2)} ms` : ""}`
      }
      if (!m.ours && innerWidth < 700) continue
      // Beside its dot, at the first place that covers nothing.
      const name = make("text", { x: 0, y: 0 }, m.name), { width } = name.getBBox()
      const places = [[12, -7], [12, 18], [-12 - width, -7], [-12 - width, 18], [-width / 2, -14], [-width / 2, 26]]
      const boxes = places.map(([dx, dy]) => [x(m) + dx, x(m) + dx + width, y(m.nme) + dy - 13, y(m.nme) + dy + 3])
      const free = boxes.findIndex(([l, r, t, b]) => l > 60 && r < 718 && !taken.some(([L, R, T, B]) => l < R && r > L && t < B && b > T))
      const [left_, , , bottom] = boxes[Math.max(free, 0)]
      taken.push(boxes[Math.max(free, 0)])
      name.setAttribute("x", left_)
      name.setAttribute("y", bottom - 3)
    }
  }
  chart.hidden = false
  chart.addEventListener("change", draw)
  draw()
}
