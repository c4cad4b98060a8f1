/** The files of a version, by page: a manifest may have more than one answer should hold. */
import type { FileList } from "../../protocol/views.ts";
import type { FileSet } from "./state.ts";

/** @param offset files to leave out, in the order of the manifest */
export function fileList(fileSet: FileSet | undefined, offset: number, limit: number): FileList | undefined {
  if (fileSet === undefined) return undefined;
  const { files } = fileSet.manifest;
  return {
    total: files.length,
    files: files.slice(offset, offset + limit).map(({ path, lengthBytes, version, growing, ended }) => ({
      path,
      lengthBytes,
      version,
      growing: growing && !ended,
    })),
  };
}
