import type { ParsedImage } from '../header.ts';
import type { ImageFormat } from './format.ts';
import { parseQcow2Header, type Qcow2Header } from './qcow2-header.ts';

/** `QFI\xfb`, shared with the first version, which is a format of its own (qcow.ts). */
export const QFI = 0x51_46_49_fb;

export const qcow2: ImageFormat = {
  name: 'qcow2',
  probe: (head) => head.length >= 8 && head.readUInt32BE(0) === QFI && head.readUInt32BE(4) !== 1,
  parse(head, read) {
    const header = parseQcow2Header(head, read);
    return header.kind === 'invalid' ? { ...header, format: 'qcow2' } : imageOf(header);
  },
};

function imageOf(header: Qcow2Header): ParsedImage {
  const { virtualSizeBytes, backingFile, backingFormat, dataFile, features } = header;
  return {
    kind: 'image',
    format: 'qcow2',
    virtualSizeBytes,
    ...(backingFile === undefined ? {} : { backingFile }),
    ...(backingFormat === undefined ? {} : { backingFormat }),
    ...(features.includes('externalDataFile') && dataFile !== undefined ? { dataFiles: [dataFile] } : {}),
    ...(unclearOf(header) === undefined ? {} : { unclear: unclearOf(header) }),
    ...(features.includes('corrupt') ? { corrupt: true } : {}),
  };
}

function unclearOf({ features, dataFile, unknownFeatures }: Qcow2Header): string | undefined {
  if (unknownFeatures !== 0n) return `the unknown qcow2 features 0x${unknownFeatures.toString(16)} are in use`;
  if (features.includes('externalDataFile') && dataFile === undefined) return 'the external data file is not named in the header';
  return undefined;
}
