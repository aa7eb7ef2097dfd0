/**
 * How many requests run at the same time. It begins low, grows while all goes well, and halves when S3 says that it is too
 * much: S3 splits a busy prefix only after a while, and answers 503 until then.
 */
export class Throttle {
  private running = 0;
  private limit: number;
  private readonly waiting: (() => void)[] = [];
  private succeeded = 0;
  private halvedAt = -Infinity;
  /** How often it was slowed down. */
  slowed = 0;

  constructor(
    private readonly most = 128,
    begin = 32,
    private readonly now: () => number = Date.now,
  ) {
    this.limit = Math.min(begin, most);
  }

  get concurrency(): number {
    return Math.floor(this.limit);
  }

  async run<Result>(act: () => Promise<Result>): Promise<Result> {
    if (this.running < this.concurrency) this.running++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      const result = await act();
      // More for each time that as many have succeeded as run at the same time.
      if (++this.succeeded >= this.concurrency && this.limit < this.most) {
        this.succeeded = 0;
        this.limit = Math.min(this.limit + Math.max(1, this.limit / 8), this.most);
      }
      return result;
    } finally {
      this.running--;
      while (this.running < this.concurrency && this.waiting.length > 0) {
        this.running++;
        (this.waiting.shift() as () => void)();
      }
    }
  }

  /** S3 asked for less. The answers of one moment count once. */
  slowDown(): void {
    const now = this.now();
    if (now - this.halvedAt < 1_000) return;
    this.halvedAt = now;
    this.slowed++;
    this.succeeded = 0;
    this.limit = Math.max(this.limit / 2, 2);
  }
}
