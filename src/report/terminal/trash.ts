import type { Plan, PlannedTrashedFile, TrashVerdict } from '../../model/plan.ts';
import type { Report } from '../../model/report.ts';
import { headerLine, paint, placeColumns, rowLine, type Column, type Format, type TableStyle } from './layout.ts';
import { cellText, cutName, shortAge } from './cells.ts';
import { countOf, humanBytes } from '../../lib/text.ts';

const VERDICT_FORMATS: Readonly<Record<TrashVerdict, Format | undefined>> = { keep: undefined, restore: 'cyan', empty: 'red' };

/** What lies in the trash, and what becomes of it; nothing where it is off and empty. */
export function* trashLines(plan: Plan | Report, style: TableStyle): Generator<string> {
  const { trash } = plan;
  if (trash === undefined) return;
  const { files, allocatedBytes } = trash.totals;
  const state = trash.enabled ? '' : ' (off: what is there stays for its grace)';
  yield `\n${paint('Trash', 'bold', style.colour)}${state}: ${countOf(files, 'file')}, ${humanBytes(allocatedBytes)}\n`;
  if (trash.files.length === 0) return;
  const columns = placeColumns(columnsOf(plan), trash.files, style.width);
  yield headerLine(columns, style.colour);
  for (const file of trash.files) yield rowLine(columns, file, style.colour);
}

function columnsOf(plan: Plan | Report): readonly Column<PlannedTrashedFile>[] {
  const nowMs = Date.parse(plan.takenAt);
  const decided: Column<PlannedTrashedFile> =
    plan.kind === 'Report'
      ? { header: 'OUTCOME', align: 'left', text: ({ outcome }) => outcome ?? '', format: ({ verdict }) => VERDICT_FORMATS[verdict] }
      : { header: 'VERDICT', align: 'left', text: ({ verdict }) => verdict, format: ({ verdict }) => VERDICT_FORMATS[verdict] };
  return [
    { header: 'NAME', align: 'left', text: ({ name }) => cellText(name), cut: cutName, least: 12 },
    { header: 'KIND', align: 'left', text: ({ kind }) => kind },
    { header: 'SIZE', align: 'right', text: ({ allocatedBytes }) => humanBytes(allocatedBytes) },
    {
      header: 'TRASHED',
      align: 'right',
      text: ({ trashedAt }) => shortAge(Math.floor((nowMs - Date.parse(trashedAt)) / 1000)),
      expendable: 1,
    },
    decided,
    { header: 'REASON', align: 'left', text: ({ reason }) => reason },
  ];
}
