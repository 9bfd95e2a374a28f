import { Application } from '../../ring/application.js';
import { containsLetters, findByte, isDigit, startsWith } from './byte-match.js';
import { recogniseRequest } from './signature-request.js';

/** So far a greeting is searched for a word. */
const GREETING_BYTES_MAX = 256;

/** What a server or client of these protocols sends first, from its first byte on. No text is the start of another. */
const TEXTS: readonly (readonly [text: string, application: Application])[] = [
  // RFC 4253 section 4.2.
  ['SSH-1.', Application.Ssh],
  ['SSH-2.', Application.Ssh],
  ['HTTP/1.', Application.Http],
  ['SIP/2.0 ', Application.Sip],
  ['RTSP/1.0 ', Application.Rtsp],
  ['RTSP/2.0 ', Application.Rtsp],
  // RFC 6143 section 7.1.1.
  ['RFB 00', Application.Vnc],
  // RFC 9051 section 7.1, RFC 1939 section 3.
  ['* OK', Application.Imap],
  ['* PREAUTH', Application.Imap],
  ['* BYE', Application.Imap],
  ['+OK ', Application.Pop3],
  // RFC 5321 section 4.1.1.1, RFC 2033 section 4.1.
  ['EHLO ', Application.Smtp],
  ['HELO ', Application.Smtp],
  ['LHLO ', Application.Smtp],
  // RFC 2812 section 3.1.2, and what servers write before a client has a name.
  ['NICK ', Application.Irc],
  ['CAP LS', Application.Irc],
  ['NOTICE AUTH', Application.Irc],
  ['NOTICE * :', Application.Irc],
  ['AMQP\x00', Application.Amqp],
  ['AMQP\x01', Application.Amqp],
  ['AMQP\x02', Application.Amqp],
  ['AMQP\x03', Application.Amqp],
  ['@RSYNCD:', Application.Rsync],
  ['ZBXD', Application.Zabbix],
];

/** Bytes of a message of the Android debug bridge: its command comes again at the end, inverted. */
const ADB_HEADER_BYTES = 24;
const ADB_MAGIC = 20;
/** An address in the prefix of a message is no longer. */
const IRC_PREFIX_BYTES_MAX = 80;

const enum Char {
  Space = 0x20,
  Asterisk = 0x2a,
  Plus = 0x2b,
  Zero = 0x30,
  Two = 0x32,
  Colon = 0x3a,
  LessThan = 0x3c,
}

/** Recognises a stream that begins with a printable byte. Allocates nothing. */
export function recogniseText(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): Application {
  const first = view.getUint8(offset);
  for (const entry of TEXTS) if (entry[0].charCodeAt(0) === first && startsWith(view, offset, end, entry[0])) return entry[1];
  switch (first) {
    case Char.Asterisk:
      return isRedisCommand(view, offset, end) ? Application.Redis : Application.None;
    case Char.Plus:
      return startsWith(view, offset, end, '+OK\r\n') && hasPort(srcPort, dstPort, 110) ? Application.Pop3 : Application.None;
    case Char.Zero:
      return isGitRequest(view, offset, end) ? Application.Git : Application.None;
    case Char.Two:
      return recogniseGreeting(view, offset, end, srcPort, dstPort);
    case Char.LessThan:
      return isXmppStream(view, offset, end) ? Application.Xmpp : Application.None;
    case Char.Colon:
      return isIrcMessage(view, offset, end) ? Application.Irc : Application.None;
    default:
      if (isAdbMessage(view, offset, end)) return Application.Adb;
      return recogniseRequest(view, offset, end);
  }
}

function hasPort(srcPort: number, dstPort: number, port: number): boolean {
  return srcPort === port || dstPort === port;
}

/** SMTP (RFC 5321 section 4.2) and FTP (RFC 959 section 5.4) greet with the same code: the port tells, or else what the server says. */
function recogniseGreeting(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): Application {
  if (!startsWith(view, offset, end, '220 ') && !startsWith(view, offset, end, '220-')) return Application.None;
  if (hasPort(srcPort, dstPort, 21)) return Application.Ftp;
  if (hasPort(srcPort, dstPort, 25) || hasPort(srcPort, dstPort, 587)) return Application.Smtp;
  if (containsLetters(view, offset, end, GREETING_BYTES_MAX, 'smtp')) return Application.Smtp;
  return containsLetters(view, offset, end, GREETING_BYTES_MAX, 'ftp') ? Application.Ftp : Application.None;
}

/** An array of bulk strings, as every command is sent: `*1\r\n$4\r\nPING\r\n` (Redis serialization protocol). */
function isRedisCommand(view: DataView, offset: number, end: number): boolean {
  let at = offset + 1;
  while (at < end && at < offset + 5 && isDigit(view.getUint8(at))) at++;
  return at > offset + 1 && startsWith(view, at, end, '\r\n$') && at + 3 < end && isDigit(view.getUint8(at + 3));
}

/** A length in four hexadecimal digits, then the service (git's protocol of packet lines). */
function isGitRequest(view: DataView, offset: number, end: number): boolean {
  return startsWith(view, offset, end, '00') && startsWith(view, offset + 4, end, 'git-');
}

/** RFC 6120 section 4.2: the stream's element, usually behind the declaration of XML. */
function isXmppStream(view: DataView, offset: number, end: number): boolean {
  if (startsWith(view, offset, end, '<stream:stream')) return true;
  return startsWith(view, offset, end, '<?xml') && containsLetters(view, offset, end, GREETING_BYTES_MAX, '<stream:stream');
}

/** A server's message (RFC 2812 section 2.3.1): its name, then NOTICE or a number of three digits. */
function isIrcMessage(view: DataView, offset: number, end: number): boolean {
  const command = findByte(view, offset, end, IRC_PREFIX_BYTES_MAX, Char.Space) + 1;
  if (command === 0 || end - command < 4) return false;
  if (startsWith(view, command, end, 'NOTICE ')) return true;
  for (let at = command; at < command + 3; at++) if (!isDigit(view.getUint8(at))) return false;
  return view.getUint8(command + 3) === Char.Space;
}

function isAdbMessage(view: DataView, offset: number, end: number): boolean {
  if (end - offset < ADB_HEADER_BYTES) return false;
  return (
    (startsWith(view, offset, end, 'CNXN') || startsWith(view, offset, end, 'STLS') || startsWith(view, offset, end, 'AUTH')) &&
    view.getInt32(offset + ADB_MAGIC) === ~view.getInt32(offset)
  );
}
