// Projects of the development server: one for each label kind and a mixed one.
import { CASES } from "./images.mjs";

const COLOURS = ["#56b4e9", "#e69f00", "#00a67c", "#f0e442", "#d68bb5", "#dd5f0a"];
const classes = (...names) => names.map((name, i) =>
  ({ name, code: i + 1, key: null, colour: COLOURS[i % COLOURS.length] }));
const question = (id, prompt, kind, names, more = {}) =>
  ({ id, prompt, kind, classes: classes(...names), low: null, high: null, required: true, ...more });

const GUIDE = `<h1>How to read</h1>
<p>Look at the whole image first, then at each zone. Say what you see, not what you expect.</p>
<h2>Grade</h2><ul><li><b>0</b> no change</li><li><b>1</b> doubtful narrowing</li>
<li><b>2</b> definite osteophytes</li><li><b>3</b> definite narrowing</li><li><b>4</b> bone on bone</li></ul>`;

/** What a careless or hostile author could put into a guideline. */
const HOSTILE = `${GUIDE}
<p id="hostile"><script>document.title = "owned"</script><img src="x" onerror="document.title = 'owned'">
<a href="javascript:document.title = 'owned'">a link</a><svg onload="document.title = 'owned'"></svg></p>`;

const atlas = (cases, name) => [
  { id: "a1", class: name, do: true, why: "Both borders are seen, so the outline follows them.",
    image_url: cases[0].thumbnail_url, drawing: null },
  { id: "a2", class: name, do: false, why: "Do not draw across the midline: it is not visible here.",
    image_url: cases[1 % cases.length].thumbnail_url, drawing: null },
];

const project = (id, name, cases, questions, guideline_html = GUIDE) => ({ id, name, cases, protocol: {
  version: 1, title: name, questions, guideline_html,
  looked_at: questions.filter(({ kind }) => ["box", "instance", "mask"].includes(kind)).map(({ id }) => id),
  atlas: atlas(cases, questions[0].classes[0]?.name ?? null) } });

export const PROJECTS = Object.fromEntries([
  project("chest", "Chest findings", CASES.chest, [question("findings", "Which findings are there?",
    "multi-label", ["Effusion", "Cardiomegaly", "Nodule", "Pneumothorax", "Atelectasis"])]),
  project("hostile", "Hostile texts", CASES.chest, [question("q", "<script>document.title = 'owned'</script>",
    "nominal", ["<img src=x onerror=alert(1)>", "No"])], HOSTILE),
  project("knee", "Knee osteoarthritis", CASES.knee, [question("grade", "Kellgren-Lawrence grade",
    "ordinal", ["0", "1", "2", "3", "4"])]),
  project("mitosis", "Mitosis yes or no", CASES.knee, [question("mitosis", "Is this a mitosis?",
    "nominal", ["Yes", "No"])]),
  project("fracture", "Fracture boxes", CASES.chest, [question("fractures", "Draw a box round each fracture",
    "box", ["Fracture", "Old fracture"])]),
  project("cells", "Cell outlines", CASES.chest, [question("cells", "Outline each cell",
    "instance", ["Lymphocyte", "Tumour"])]),
  project("vessels", "Vessel masks", CASES.large, [question("vessels", "Paint the vessels",
    "mask", ["Artery", "Vein"])]),
  project("large", "Large radiographs", CASES.large, [question("grade", "Image quality",
    "ordinal", ["Poor", "Fair", "Good"])]),
  project("marks", "Marks", CASES.marks, [question("boxes", "Draw a box", "box", ["Mark", "Other"])]),
  project("mixed", "Everything at once", CASES.mixed, [
    question("quality", "Image quality", "ordinal", ["Poor", "Fair", "Good"]),
    question("findings", "Findings", "multi-label", ["Fluid", "Mass"], { required: false }),
    question("lesions", "Box each lesion", "box", ["Lesion", "Cyst"], { required: false }),
    question("organ", "Outline the organ", "instance", ["Organ"], { required: false }),
    question("mask", "Paint the lung", "mask", ["Lung", "Vessel"], { required: false }),
    question("certainty", "How sure are you?", "score", [], { low: 0, high: 100, required: false }),
  ]),
  { ...project("gated", "Knees after a dry run", CASES.knee, [question("grade", "Kellgren-Lawrence grade",
    "ordinal", ["0", "1", "2", "3", "4"])]), gold: { grade: "2" } },
].map((each) => [each.id, each]));
