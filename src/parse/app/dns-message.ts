import { DnsAnswers } from './dns-answers.js';
import { DNS_HEADER_BYTES, DnsName, skipDnsName } from './dns-name.js';
import { DnsRecords, DnsSection } from './dns-records.js';
import { DnsOpcode, DnsType } from './dns-type.js';

/** Offsets in the header (RFC 1035 section 4.1.1). */
const enum Header {
  Id = 0,
  Flags = 2,
  Questions = 4,
  Answers = 6,
  Authorities = 8,
  Additionals = 10,
}

const enum Flag {
  Response = 0x8000,
  OpcodeShift = 11,
  OpcodeMask = 0x0f,
  Truncated = 0x0200,
  CodeMask = 0x0f,
}

/** A question without its name: type and class; and the shortest question and record, which belong to the root. */
const QUESTION_TAIL_BYTES = 4;
const QUESTION_BYTES_MIN = 5;
const RECORD_BYTES_MIN = 11;
/** Questions that are gone through, and those that are skipped to reach the records. */
const QUESTIONS_READ_MAX = 16;
const QUESTIONS_SKIPPED_MAX = 256;

/**
 * A message of DNS (RFC 1035 section 4) and of the protocols that share its form: mDNS (RFC 6762), LLMNR (RFC 4795), names of NetBIOS
 * (RFC 1002). One instance is reused for all; nothing here allocates. What was read stays valid until the next message, `records` and
 * the questions as long as the view holds the message.
 */
export class DnsMessage {
  id = 0;
  isResponse = false;
  /** 0–15; which of them a protocol has is for the caller to know. */
  opcode = 0;
  /** Response code, 0–4095: the upper bits come from EDNS (RFC 6891 section 6.1.3). */
  code = 0;
  isTruncated = false;
  /** As the header tells, 0–65535. */
  questionCount = 0;
  answerCount = 0;
  /**
   * Name, type and class of the first question, of which `nextQuestion` makes the next one. A message without questions, which mDNS
   * and NetBIOS answer with, takes them from its first answer. `name.length` is 0 if there is neither.
   */
  readonly name = new DnsName();
  type = 0;
  /** With the upper bit, which multicast DNS uses for something else. */
  class = 0;
  /** Filled for responses. */
  readonly answers = new DnsAnswers();
  /** All records. Rewind it first. */
  readonly records = new DnsRecords();
  /** Some part of a response, or of the questions, could not be read, although it was captured. */
  isMalformed = false;
  private view: DataView = new DataView(new ArrayBuffer(0));
  private start = 0;
  private end = 0;
  private questionAt = 0;
  private questionsTaken = 0;

  /**
   * Reads the message that lies from `offset` to `end`; `wireBytes`, if the capture cut it, is the length that it had. True if it is
   * one, and then its header and its first name are sound; the rest is read as far as it goes.
   *
   * What is not DNS is told by the counts, which must fit in the length, and by the first name, type and class; together they let
   * hardly anything else pass. The reserved bit is no test: it must be sent as 0 (RFC 6895 section 2), but those who receive it need
   * not mind.
   */
  read(view: DataView, offset: number, end: number, wireBytes = end - offset): boolean {
    if (!this.readStart(view, offset, end, wireBytes)) return false;
    // The answers of an update are conditions (RFC 2136 section 2.4), and those of a query are what mDNS knows already.
    if (this.isResponse && this.opcode !== DnsOpcode.Update) this.readRecords(view);
    if (wireBytes > end - offset) this.isMalformed = false;
    return true;
  }

  /** As `read`, but leaves the records alone: no answers, and the code is that of the header. */
  readStart(view: DataView, offset: number, end: number, wireBytes = end - offset): boolean {
    if (end - offset < DNS_HEADER_BYTES) return false;
    const questions = view.getUint16(offset + Header.Questions);
    const answers = view.getUint16(offset + Header.Answers);
    const authorities = view.getUint16(offset + Header.Authorities);
    const additionals = view.getUint16(offset + Header.Additionals);
    const bytesMin = questions * QUESTION_BYTES_MIN + (answers + authorities + additionals) * RECORD_BYTES_MIN;
    if (DNS_HEADER_BYTES + bytesMin > wireBytes) return false;
    const flags = view.getUint16(offset + Header.Flags);
    this.id = view.getUint16(offset + Header.Id);
    this.isResponse = (flags & Flag.Response) !== 0;
    this.opcode = (flags >> Flag.OpcodeShift) & Flag.OpcodeMask;
    this.code = flags & Flag.CodeMask;
    this.isTruncated = (flags & Flag.Truncated) !== 0;
    this.questionCount = questions;
    this.answerCount = answers;
    this.isMalformed = false;
    this.answers.clear();
    this.view = view;
    this.start = offset;
    this.end = end;
    this.rewindQuestions();
    if (questions > 0 && !this.nextQuestion()) return false;
    const records = this.skipQuestions();
    if (records < 0) {
      this.isMalformed = true;
      this.records.set(view, offset, end, end, 0, 0, 0);
      return true;
    }
    this.records.set(view, offset, end, records, answers, authorities, additionals);
    return questions > 0 || this.takeFirstAnswer();
  }

  /** Back to before the first question. */
  rewindQuestions(): void {
    this.questionAt = this.start + DNS_HEADER_BYTES;
    this.questionsTaken = 0;
  }

  /** Goes to the next question; false if there is none, if it is not sound, and after 16 of them. */
  nextQuestion(): boolean {
    if (this.questionsTaken === Math.min(this.questionCount, QUESTIONS_READ_MAX)) return false;
    const tail = this.name.read(this.view, this.start, this.questionAt, this.end);
    if (tail < 0 || tail + QUESTION_TAIL_BYTES > this.end) return false;
    this.type = this.view.getUint16(tail);
    this.class = this.view.getUint16(tail + 2);
    this.questionAt = tail + QUESTION_TAIL_BYTES;
    this.questionsTaken++;
    // Both numbers are reserved (RFC 6895 section 3): zeros behind a header are no question.
    return this.type !== 0 && this.class !== 0;
  }

  /** The offset behind all questions, of which the first was read; -1 if they cannot be skipped. */
  private skipQuestions(): number {
    if (this.questionCount > QUESTIONS_SKIPPED_MAX) return -1;
    let at = this.questionAt;
    for (let i = this.questionsTaken; i < this.questionCount; i++) {
      const tail = skipDnsName(this.view, at, this.end);
      if (tail < 0 || tail + QUESTION_TAIL_BYTES > this.end) return -1;
      at = tail + QUESTION_TAIL_BYTES;
    }
    return at;
  }

  /** A message without questions: it has an answer, or it is a response that names nothing, as servers send that understood nothing. */
  private takeFirstAnswer(): boolean {
    const { records, name } = this;
    this.type = 0;
    this.class = 0;
    name.length = 0;
    if (this.answerCount === 0) return this.isResponse && (this.code !== 0 || records.next());
    if (!records.next() || !records.readOwner(name)) return false;
    this.type = records.type;
    this.class = records.class;
    return true;
  }

  private readRecords(view: DataView): void {
    const { records, answers } = this;
    let upperCode = 0;
    records.rewind();
    while (records.next()) {
      if (records.section === DnsSection.Answer) {
        if (!answers.add(view, records)) this.isMalformed = true;
      } else if (records.section === DnsSection.Additional && records.type === DnsType.Opt && upperCode === 0)
        upperCode = records.ttlHighByte;
    }
    if (records.isBroken) this.isMalformed = true;
    this.code |= upperCode << 4;
  }
}
