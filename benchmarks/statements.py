"""A statement of 100,000 entries against a bare parse of the same bytes; peak of memory."""

import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from benchmarks.stage import timed
from benchmarks.table import Result
from lifecycle.banking.reading import read_answer

FEW, MANY = 10_000, 100_000
RUNS = 3
_SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_ENTRY = """
<Ntry><NtryRef>{0}</NtryRef><Amt Ccy="CNY">70.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-03-03</Dt></BookgDt><ValDt><Dt>2026-03-03</Dt></ValDt><AcctSvcrRef>B{0:012}</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs><MsgId>E1B1</MsgId><PmtInfId>E1B1</PmtInfId><EndToEndId>E1PO{0}A1</EndToEndId></Refs>
<Amt Ccy="CNY">70.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><RltdPties><Cdtr><Pty><Nm>甲公司 {0}</Nm></Pty></Cdtr>
<CdtrAcct><Id><Othr><Id>6222{0:015}</Id></Othr></Id></CdtrAcct></RltdPties><RmtInf><Ustrd>里程碑 T1</Ustrd></RmtInf>
</TxDtls></NtryDtls></Ntry>"""
_BALANCE = """<Bal><Tp><CdOrPrtry><Cd>{}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{}.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-03-03</Dt></Dt></Bal>"""


def run() -> list[Result]:
    """Measure reading and checking; no database takes part."""
    with TemporaryDirectory() as folder:
        few, many = (_file(Path(folder), entries) for entries in (FEW, MANY))
        laps = [(timed(lambda: _ours(few)), timed(lambda: _bare(few))) for _ in range(RUNS + 1)][1:]
        whole = timed(lambda: _ours(many))
        bare = timed(lambda: _bare(many))
        peaks = [_peak(path) for path in (few, many)]
    return [
        Result(
            mark="–",
            work=f"read, hash and check a statement of {MANY:,} entries: time over that of a bare `iterparse`",
            figure=f"{MANY / whole:,.0f} entries/s, bare {MANY / bare:,.0f}/s",
            ratios=(*(ours / other for ours, other in laps), whole / bare),
        ),
        Result(
            mark="–",
            work=f"the same, peak of memory over that of {FEW:,} entries",
            figure=f"{peaks[1] / 2**20:.0f} MiB",
            ratios=(peaks[1] / peaks[0],),
            at_most=1.1,
        ),
    ]


def _file(folder: Path, entries: int) -> Path:
    path = folder / f"{entries}.xml"
    with path.open("w", encoding="utf-8") as file:
        file.write(f'<Document xmlns="{_SPACE}"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id>')
        file.write("<Acct><Id><Othr><Id>62220000</Id></Othr></Id><Ccy>CNY</Ccy></Acct>")
        file.write(_BALANCE.format("OPBD", 70 * entries) + _BALANCE.format("CLBD", 0))
        file.writelines(_ENTRY.format(number) for number in range(entries))
        file.write("</Stmt></BkToCstmrStmt></Document>")
    return path


def _ours(path: Path) -> None:
    with path.open("rb") as file:
        for _ in read_answer(path.name, file).items or ():
            pass


def _bare(path: Path) -> None:
    for _, element in ET.iterparse(path):  # noqa: S314 - our own file
        if element.tag.endswith("}Ntry"):
            element.clear()


def _peak(path: Path) -> int:
    """Read the file in a process of its own and return its peak of memory in bytes."""
    program = [sys.executable, "-c", "import sys; from benchmarks.statements import peak; peak(sys.argv[1])", str(path)]
    return int(subprocess.run(program, capture_output=True, text=True, check=True).stdout)  # noqa: S603


def peak(name: str) -> None:
    """Read a file and write this process's peak of memory in bytes."""
    _ours(Path(name))
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
