import { LOG_LEVELS } from './messages.js';
import {
  address,
  boolean,
  choice,
  days,
  fileBytes,
  integer,
  networks,
  type OptionEntry,
  orZero,
  ringSize,
  text,
} from './option-kinds.js';
import { PROFILE_NAMES } from './profiles.js';

const ANY_TEXT = /^[^\0]{0,4096}$/;
const SECONDS_MAX = 86_400;

/**
 * Every option, once: name with its unit last, default, allowed range, help. The environment variable and the flag follow from
 * the name. README's table is checked against this one by `test/tidy.test.ts`.
 */
export const OPTIONS = {
  'capture.interface': text(
    'auto',
    'up to 16 names with commas between them; any: all interfaces; auto: that of the default route',
    /^[^\0/\s,]{1,64}(,[^\0/\s,]{1,64}){0,15}$/,
    'Interfaces to watch. A packet that passes through two of them counts twice.',
    {
      flag: '--interface',
    },
  ),
  'capture.wait-for-interface': boolean(
    true,
    'Start without an interface that is not there yet, and wait for it; off: refuse to start. Later on it is waited for in any case.',
    { flag: '--wait-for-interface' },
  ),
  'capture.backend': choice(
    ['auto', 'afpacket', 'cap'],
    'auto',
    'How packets are captured. auto: afpacket on Linux, cap elsewhere.',
    {
      flag: '--backend',
    },
  ),
  'capture.filter': text('', 'a pcap-filter expression', ANY_TEXT, 'Only packets that match are captured.', { flag: '--filter' }),
  'capture.exclude-own': boolean(
    true,
    'Connections with the API of flowberry itself are no flows; they are counted under the drop reason own_traffic.',
    { flag: '--exclude-own' },
  ),
  'capture.promiscuous': boolean(true, 'Also take packets that are addressed to others.', { flag: '--promiscuous' }),
  'capture.snap-bytes': integer(65_535, 128, 262_144, 'Captured bytes of a packet; what lies behind is not looked at.'),
  'capture.buffer-bytes': integer(
    16_777_216,
    1_048_576,
    1_073_741_824,
    'Kernel buffer of a live capture; rounded up to whole blocks. When it is full, the kernel drops packets and counts them.',
  ),
  'ring.frame-bytes': ringSize(
    1_048_576,
    'Ring from the capture to each parse worker. Full: a live capture drops the packet and counts it, a replay waits. 0: live 64 MiB for all workers together, 32 MiB with at most 4 GB of RAM; 4 MiB each for a replay.',
  ),
  'ring.flow-bytes': ringSize(65_536, 'Ring from each parse worker to the writer. Full: the worker waits. 0: 8 MiB.'),
  'parse.workers': integer(0, 0, 32, 'Parse workers; 0 takes the cores less two, at least 1.', { flag: '--workers' }),
  'flow.active-max': integer(
    0,
    0,
    10_000_000,
    'Flows in memory, all workers together; at the limit the least recently used is written and evicted, among many that nobody has answered one of these. 0 chooses by RAM: 5,000 to 20,000.',
    {
      flag: '--flows-active-max',
    },
  ),
  'flow.idle-tcp-s': integer(300, 0, SECONDS_MAX, 'A TCP flow without packets for so long is written; 0 is never.'),
  'flow.idle-udp-s': integer(60, 0, SECONDS_MAX, 'As above, for UDP.'),
  'flow.idle-other-s': integer(30, 0, SECONDS_MAX, 'As above, for ICMP and all other protocols.'),
  'flow.active-s': integer(300, 0, SECONDS_MAX, 'A longer flow is written in segments of this length; 0 is never.', {
    flag: '--active-timeout',
  }),
  'flow.tcp-linger-s': integer(
    5,
    0,
    SECONDS_MAX,
    'A TCP flow that ended by FIN or RST waits so long for stragglers; 0 leaves it to the idle timeout.',
  ),
  'flow.decap': boolean(true, 'The innermost IP header of a tunnel is the flow; off: the outermost.', { flag: '--decap' }),
  'flow.join-fragments': boolean(true, 'Later fragments join the flow of the first one; off: they are a flow with ports 0.', {
    flag: '--join-fragments',
  }),
  'flow.key-vlan': boolean(false, 'Packets of different VLANs are different flows.'),
  'names.addresses-max': integer(
    8_192,
    64,
    1_048_576,
    'Addresses with names that are remembered; at the limit the least recently used is forgotten.',
  ),
  'names.http-path': boolean(false, 'Keep the path of the first HTTP request of a flow; it may tell what people read.'),
  'db.path': text('./data/flowberry.db', 'a file path', /^[^\0]{1,4096}$/, 'The SQLite file. Its directory is created.', {
    flag: '--db',
  }),
  'db.synchronous': choice(
    ['normal', 'full'],
    'normal',
    'full: no committed row is lost in a power cut, at the price of more writes.',
  ),
  'db.cache-kib': integer(0, 0, 1_048_576, 'Page cache of the writer; 0 chooses by RAM: 16 to 64 MiB.'),
  'db.busy-timeout-ms': integer(30_000, 0, 600_000, 'How long the writer waits for another process that holds the database.'),
  'batch.rows-min': integer(0, 0, 5_000, 'A batch is written when it has so many rows …; 0: as store.profile says.'),
  'batch.age-ms-max': orZero(100, 600_000, '… or when its oldest row has waited so long; 0: as store.profile says.'),
  'batch.rows-max': integer(5_000, 50, 100_000, 'Under load a batch grows to so many rows.'),
  'backup.directory': text(
    '',
    'a directory path, or nothing',
    ANY_TEXT,
    'Where backups go, best on another disk. With it the daemon makes one a day; without it none, and db backup needs --to.',
    { flag: '--backup-directory' },
  ),
  'backup.daily-at': text(
    '02:00',
    'a time of day, HH:MM',
    /^([01]\d|2[0-3]):[0-5]\d$/,
    'When the daily backup is made, local time.',
  ),
  'backup.keep': integer(7, 1, 1_000, 'Good backups that are kept; the oldest goes when there is one more.'),
  'backup.compression': choice(
    ['gzip', 'zstd'],
    'gzip',
    'How backups are packed. zstd needs Node 22.15 or later, to restore them too.',
  ),
  'backup.bytes-per-s-max': integer(
    0,
    0,
    1_000_000_000,
    'What a daily backup writes per second at most. 0: 128 KiB on the disk of the database, 4 MiB on another one.',
  ),
  'store.profile': choice(
    ['auto', 'sd', 'ssd', 'ram'],
    'auto',
    'What the database lies on: it decides how batches gather and how much may be written. auto: ssd on NVMe and on disks that neither are cards nor can be pulled out, else sd. ram: in memory while flowberry runs; db.path is written at the stop and when flowberry db save asks.',
  ),
  'store.ram-directory': text(
    '',
    'a directory path, or nothing',
    ANY_TEXT,
    'Where the database lies with store.profile = ram: a tmpfs. None: the RuntimeDirectory of the service, else /dev/shm/flowberry-UID.',
  ),
  'store.ram-save-s': orZero(
    60,
    SECONDS_MAX,
    'With store.profile = ram, the database is saved to db.path so often as well. 0: at the stop and when asked only.',
  ),
  'store.write-bytes-per-minute-soft': orZero(
    10_000,
    100_000_000_000,
    'What a live capture should write to the disk. Over it: larger batches, then coarser rollups, then rows of flows are left out and counted. 0: as store.profile says.',
  ),
  'store.write-bytes-per-minute-hard': orZero(
    100_000,
    100_000_000_000,
    'What a live capture writes to the disk within any minute at most: rows wait, and are left out and counted when their ring fills. 0: as store.profile says.',
  ),
  'store.checkpoint-bytes': orZero(
    262_144,
    1_073_741_824,
    'Length of the write-ahead log at which it is moved into the file; less when little may be written. 0: as store.profile says.',
  ),
  'store.card-tbw': integer(
    32,
    1,
    100_000,
    'Terabytes that the card or disk takes until it is worn out, for the estimate of its life: the default is 64 GB of ordinary TLC flash at 500 erasures.',
  ),
  'store.local-networks': networks(
    'private',
    'What is local: devices are listed from here, and outbound and inbound are seen from here. Holds for rows from then on.',
  ),
  'api.address': address(
    '127.0.0.1',
    'Address that the API listens on. One that other machines reach (0.0.0.0 and :: are all of this machine) needs api.token-file.',
  ),
  'api.port': integer(8417, 0, 65_535, 'Port of the API; 0 takes a free one.'),
  'api.token-file': text(
    '',
    'a file path',
    ANY_TEXT,
    'File with the token that requests must show (Authorization: Bearer …): at least 32 characters, readable by its owner only.',
  ),
  'api.hosts': text(
    '',
    'up to 16 names with commas between them',
    /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(,[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?){0,15})?$/i,
    'Names under which browsers may reach the API, beside its addresses and localhost; a page of any other name is refused.',
  ),
  'api.requests-per-minute-max': integer(
    120,
    0,
    1_000_000,
    'Requests for data that one address of another machine may make within a minute; at the limit they are refused (429). 0 is no limit.',
  ),
  'api.readers': integer(0, 0, 8, 'Threads that run the queries of the API; 0 takes 1 with two cores or fewer, 2 otherwise.'),
  'alerts.new-device': boolean(true, 'Alert when a hardware address is seen for the first time.'),
  'alerts.new-destination': boolean(
    false,
    'Alert when a local device reaches a site (the registered part of a server name, as far as can be guessed) for the first time.',
  ),
  'alerts.port-scan-targets': integer(
    100,
    0,
    3000,
    'Alert when a host tries about so many ports or hosts within a minute without an answer; 0 is never.',
  ),
  'alerts.quota-mb-per-day': integer(0, 0, 1_000_000_000, 'Alert when a local device moves more on one day (UTC); 0 is never.'),
  'alerts.webhook-url': text(
    '',
    'an http or https URL, or nothing',
    /^(https?:\/\/[^\s\0]{1,2000})?$/,
    'Where alerts are posted as JSON, as they are stored.',
  ),
  'alerts.learning-hours': integer(
    24,
    0,
    8760,
    'So long after the database was made, everything is new: no alerts of devices and destinations.',
  ),
  'retention.flows-days': days(7, 'Flows, DNS transactions and what they are looked up by are deleted when they are so old.'),
  'retention.minutes-days': days(30, 'As above, for sums by minute; minutes of the ledger are joined to hours.'),
  'retention.hours-days': days(
    400,
    'As above, for sums by hour, and devices not seen for so long; hours of the ledger are joined to days. Days have no age.',
  ),
  'retention.file-bytes-max': fileBytes(
    4_000_000_000,
    'Bytes that the database and its write-ahead log may take; before they do, the oldest flows are deleted, then minutes, hours and days. 0: half of what is free at the start, its own size included.',
  ),
  'retention.free-bytes-min': integer(
    500_000_000,
    0,
    1e12,
    'With less free on the disk than this and than a tenth of it, the database does not grow: old rows make room for new ones.',
  ),
  'maintenance.checkpoint-s': integer(300, 10, SECONDS_MAX, 'The write-ahead log is moved into the database so often.'),
  'maintenance.quick-check-days': days(7, 'The database is checked so often, but for its indexes.'),
  'maintenance.full-check-days': days(30, 'As above, with its indexes.'),
  'cpu.affinity': text(
    'auto',
    'auto, off, or CPUs such as 1-3',
    /^(auto|off|\d+(-\d+)?(,\d+(-\d+)?)*)$/,
    'CPUs to use. auto: all but CPU 0, which serves the network interrupts.',
  ),
  'threads.deaths-per-minute-max': integer(
    5,
    2,
    1000,
    'A thread that dies is replaced; so many deaths within a minute, of all threads together, end the process.',
  ),
  'log.level': choice(LOG_LEVELS, 'info', 'Least severity that is logged. SIGUSR1 switches to debug and back.'),
  'log.file': text(
    '',
    'a file path, or nothing',
    ANY_TEXT,
    'The log, of flowberry run; its directory is created. None: standard output.',
  ),
  'log.file-bytes-max': integer(
    10_000_000,
    10_000,
    1_000_000_000,
    'A log file that would grow beyond this is rotated first, then compressed.',
  ),
  'log.files-max': integer(3, 0, 1_000, 'Rotated log files that are kept; the oldest is deleted when there is one more.'),
  'log.days-max': integer(7, 1, 3_650, 'Rotated log files that are older are deleted.'),
  'log.buffer-lines': integer(
    100,
    1,
    10_000,
    'Lines go to the log file when there are so many; errors at once, with all before them …',
  ),
  'log.buffer-ms': integer(5_000, 10, 600_000, '… or when the first of them has waited so long. A kill -9 loses what waits.'),
  'host.profile': choice(
    PROFILE_NAMES,
    'auto',
    'Defaults that fit together, for a machine or a purpose; the file, the environment and flags go before them. auto: sizes by RAM.',
    { flag: '--profile' },
  ),
  'host.memory-bytes-max': orZero(
    134_217_728,
    1_099_511_627_776,
    'Resident memory that the daemon may take: it does not start with more, and from 80 % on it does less. 0: an eighth of RAM, at least 512 MiB, at most 2 GiB or half of RAM.',
  ),
} as const satisfies Record<string, OptionEntry<never> | OptionEntry<number> | OptionEntry<boolean> | OptionEntry<string>>;
