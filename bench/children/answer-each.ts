/** For a child that is measured turn by turn: answers each message with what `measure` gives; ends when the parent lets go of it. */
export function answerEach(measure: () => Promise<object>): void {
  process.on('message', () => {
    void measure().then(
      (value) => process.send?.(value),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
