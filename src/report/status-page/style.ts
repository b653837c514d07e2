import { createHash } from 'node:crypto';

const LIGHT = `--bg:#f5f6f8;--card:#fff;--text:#1b1f24;--muted:#545d68;--line:#d5dae0;--link:#0b57d0;--head:#eef0f3;
--good:#146c2e;--good-bg:#e3f4e8;--warn:#7a4b00;--warn-bg:#fdf0d5;--bad:#b3261e;--bad-bg:#fce8e6;--calm:#3d4752;--calm-bg:#e8ebef;
--used:#1a7f37;--backing:#0e7490;--pinned:#7c3aed;--young:#1d6fd8;--held:#a86b00;--unused:#c2410c;--foreign:#6e7781;`;

const DARK = `--bg:#0f1318;--card:#171c23;--text:#e6e9ee;--muted:#a3adb8;--line:#303943;--link:#8ab4f8;--head:#1d242c;
--good:#7ee2a0;--good-bg:#12331f;--warn:#f6c667;--warn-bg:#3a2c0c;--bad:#ffb4ab;--bad-bg:#4a1a17;--calm:#c3ccd6;--calm-bg:#2a323b;
--used:#3fb950;--backing:#22b8cf;--pinned:#a78bfa;--young:#58a6ff;--held:#e3b341;--unused:#fb8f44;--foreign:#8b949e;`;

const LAYOUT = `
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,input:focus-visible,select:focus-visible,button:focus-visible{outline:3px solid var(--link);outline-offset:2px}
header,main,footer{max-width:1240px;margin:0 auto;padding:0 20px}
header{display:flex;flex-wrap:wrap;align-items:center;gap:6px 14px;padding-top:22px;padding-bottom:14px}
h1{font-size:22px;line-height:1.3;margin:0;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 12px}
.muted{color:var(--muted)}
.spacer{flex:1}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:0 0 16px}
.badge{display:inline-block;padding:1px 9px;border-radius:999px;font-size:13px;font-weight:600;white-space:nowrap;color:var(--calm);background:var(--calm-bg)}
.good{color:var(--good);background:var(--good-bg)}.warn{color:var(--warn);background:var(--warn-bg)}.bad{color:var(--bad);background:var(--bad-bg)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:16px 24px;margin:0}
.facts dt{font-size:13px;color:var(--muted)}
.facts dd{margin:2px 0 0;overflow-wrap:anywhere;font-size:19px;font-weight:600;line-height:1.35}
.facts small{display:block;font-size:13px;font-weight:400;color:var(--muted)}
.gate{border-left:5px solid var(--held)}
.gate ul,.findings ul{margin:8px 0 0;padding-left:20px}
.gate li,.findings li{margin:4px 0;overflow-wrap:anywhere}
.bar{display:block;width:100%;height:18px;border-radius:5px;margin:0 0 12px;background:var(--calm-bg)}
.legend{display:flex;flex-wrap:wrap;gap:6px 22px;list-style:none;margin:0;padding:0;font-size:14px}
.dot{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:7px}
.used{fill:var(--used);background:var(--used)}.backing{fill:var(--backing);background:var(--backing)}.pinned{fill:var(--pinned);background:var(--pinned)}
.young{fill:var(--young);background:var(--young)}.held{fill:var(--held);background:var(--held)}.unused{fill:var(--unused);background:var(--unused)}
.foreign{fill:var(--foreign);background:var(--foreign)}
form{display:flex;flex-wrap:wrap;align-items:end;gap:10px 12px;margin:0 0 14px}
label{display:flex;flex-direction:column;gap:3px;font-size:13px;color:var(--muted)}
label.wide{flex:1 1 220px}
input,select,button{font:inherit;color:var(--text);background:var(--bg);border:1px solid var(--muted);border-radius:7px;padding:6px 10px;min-height:38px;max-width:100%}
button{background:var(--link);border-color:var(--link);color:var(--card);font-weight:600;cursor:pointer;padding:6px 16px}
form a{padding:7px 0}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:7px 10px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
thead th{background:var(--head);font-weight:600;white-space:nowrap}
thead a{color:inherit;text-decoration:none}thead a:hover{text-decoration:underline}
tbody th{font-weight:400}
.num{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.name{font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;min-width:14em}
.word{white-space:nowrap}
.gone .name{text-decoration:line-through}
details summary{cursor:pointer;color:var(--link)}
details ul{margin:4px 0 0;padding-left:18px}
nav{display:flex;flex-wrap:wrap;gap:6px 16px;align-items:center;margin:14px 0 0}
footer{padding-top:4px;padding-bottom:28px;font-size:13px}
@media (min-width:1100px){.name{min-width:26.5em}}
@media (min-width:1500px){header,main,footer{max-width:1640px}.name{white-space:nowrap}}
@media (max-width:820px){
header,main,footer{padding-left:12px;padding-right:12px}
.card{padding:14px}
table,tbody,thead{display:block}
thead tr{display:flex;flex-wrap:wrap;background:var(--head);border-radius:7px;padding:2px 4px}
thead th{display:block;border:0;padding:6px 7px}
.plain thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tbody tr{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:2px 12px;padding:10px 0;border-bottom:1px solid var(--line)}
tbody th,tbody td{display:block;border:0;padding:1px 0;text-align:left;white-space:normal}
tbody th,tbody .full{grid-column:1/-1}
tbody td::before{content:attr(data-label) " ";color:var(--muted);font-size:13px}
tbody .num{text-align:left}
.name{min-width:0}
}`;

/** The page's only style sheet, inside it. */
export const STATUS_STYLE = `:root{color-scheme:light dark;${LIGHT}}@media (prefers-color-scheme:dark){:root{${DARK}}}${LAYOUT}`;

/** A stack of disks, the lowest one in green: within the page, because it asks nobody for anything. */
export const FAVICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">' +
    '<g fill="#6e7781"><rect x="2" y="2" width="12" height="3" rx="1"/><rect x="2" y="6.5" width="12" height="3" rx="1"/></g>' +
    '<rect x="2" y="11" width="12" height="3" rx="1" fill="#1a7f37"/></svg>',
)}`;

/** Nothing may be loaded or run but this style sheet and the icon within the page, and the form leads nowhere else. */
export const STATUS_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STATUS_STYLE).digest('base64')}'`,
  'img-src data:',
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');
