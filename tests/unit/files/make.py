#!/usr/bin/python3
"""Makes the nasty files beside it; their bytes are the same on every run. What each must yield is in
tests/unit/test_table.c. Run it only to add a file: python3 tests/unit/files/make.py"""
import os
import random
import zipfile

os.chdir(os.path.dirname(os.path.abspath(__file__)))
HEAD = "phone,company,contact\n"
ROW = "+1555010%04d,Acme %d,Ada %d\n"
ROWS = "".join(ROW % (i, i, i) for i in range(1, 6))
ACCENTS = "phone,company,contact\n+15550100001,Müller & Söhne,Zoë\n+15550100002,Café Ñandú,François\n"


def put(name, data):
    with open(name, "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)


def texts():
    put("plain.csv", HEAD + ROWS)
    put("utf8.csv", ACCENTS)
    put("utf8_bom.csv", b"\xef\xbb\xbf" + ACCENTS.encode())
    put("utf16le_bom.csv", b"\xff\xfe" + ACCENTS.encode("utf-16-le"))
    put("utf16be_bom.csv", b"\xfe\xff" + ACCENTS.encode("utf-16-be"))
    put("utf16le.csv", ACCENTS.encode("utf-16-le"))
    put("utf16be.csv", ACCENTS.encode("utf-16-be"))
    cyrillic = "телефон;имя\n+15550100001;Анна\n+15550100002;Пётр\n"
    put("utf16_cyrillic.csv", cyrillic.encode("utf-16-le"))
    put("utf16_cut.csv", ACCENTS.encode("utf-16-le") + b"\x41")
    put("utf32le_bom.csv", b"\xff\xfe\0\0" + ACCENTS.encode("utf-32-le"))
    put("cp1252.csv", ACCENTS.encode("cp1252"))
    curly = "phone,notes\n+15550100001,\u201csaid \u2018hi\u2019\u201d \u2013 5\u20ac\n"
    put("cp1252_quotes.csv", curly.encode("cp1252"))
    put("macroman.csv", ACCENTS.encode("mac_roman"))
    put("late_accent.csv", HEAD + ROWS * 90 + "+15550100099,Fin,Zoë\n")
    put("late_cp1252.csv", (HEAD + ROWS * 90 + "+15550100099,Fin,Zoë\n").encode("cp1252"))
    put("utf8_broken.csv", ACCENTS.encode() * 6 + b"+15550100003,M\xc3,Cut\n")
    german = "Telefon;Firma;Ort\r\n+15550100001;Müller, Söhne;Köln\r\n;;\r\n"
    put("semicolon_excel.csv", german.encode("cp1252"))
    put("tab.tsv", "phone\tcompany\n+15550100001\tAcme, Inc\n+15550100002\t\"with\ttab\"\n")
    put("pipe.txt", "phone|company|notes\n+15550100001|Acme, Inc|a;b\n+15550100002|B|c\n")
    put("sep_line.csv", "sep=;\r\nphone;company\r\n+15550100001;a,b,c\r\n")
    put("crlf.csv", (HEAD + ROWS).replace("\n", "\r\n"))
    put("cr_only.csv", (HEAD + ROWS).replace("\n", "\r"))
    put("mixed_eol.csv", HEAD + "+15550100001,a,b\r\n+15550100002,c,d\r+15550100003,e,f\n\r\n"
        "+15550100004,g,h")
    put("no_final_newline.csv", (HEAD + ROWS).rstrip("\n"))


def quotes():
    put("quoted_newlines.csv",
        HEAD + '+15550100001,"Acme\nInc, ""Ltd""","Ada\r\nLovelace"\n' + ROW % (2, 2, 2))
    put("blanks_around_quotes.csv", HEAD + '+15550100001, "Acme, Inc" , "Ada"\n')
    put("inch_marks.csv", HEAD + '+15550100001,5" pipe,Joe "JJ" Smith\n' + ROW % (2, 2, 2))
    put("stray_quote.csv", HEAD + ROW % (1, 1, 1) + '+15550100002,"Acme" Inc,Ada\n' + ROW % (3, 3, 3))
    put("unclosed_quote.csv", HEAD + ROW % (1, 1, 1) + '+15550100002,"Acme,Ada\n' + ROWS)
    put("unclosed_then_quoted.csv",
        HEAD + '+15550100002,"Acme,Ada\n' + '+15550100003,"B, Inc",Bob\n' * 3)
    put("unclosed_at_end.csv", HEAD + ROWS + '+15550100009,"Acme,Ada')
    put("unclosed_swallows.csv", HEAD + '"+15550100001,Acme,Ada\n' + ROWS + '+15550100009,12",Bob\n')
    put("unclosed_neighbours.csv", HEAD + '"Acme,+15550100001,Ada\n5",+15550100002,Bob\n')
    put("every_line_unclosed.csv", HEAD + '+15550100001,"a,b\n' * 40 + ROW % (1, 1, 1))
    put("quote_only.csv", HEAD + '"\n' + ROW % (1, 1, 1))
    put("multiline_notes.csv", 'phone,name,notes\n'
        '+15550100001,Ada,"first, second\nthird, fourth, fifth\n\nend"\n+15550100002,Bob,ok\n')


def shapes():
    put("nul.csv", (HEAD + ROWS).encode().replace(b"Acme 3", b"Ac\0me"))
    put("control.csv", (HEAD + ROWS).encode().replace(b"Acme 3", b"Ac\x01me\x0b3"))
    put("ctrl_z.csv", HEAD + ROWS + "\x1a")
    put("blank_lines.csv", "\n\n" + HEAD + "\n   \n" + ROWS.replace("\n", "\n\n") + "\n\n")
    put("empty_rows.csv", HEAD + ROWS + ",,\n" * 20 + ROW % (6, 6, 6))
    put("header_only.csv", HEAD)
    put("empty.csv", b"")
    put("bom_only.csv", b"\xef\xbb\xbf")
    put("newlines_only.csv", "\r\n\r\n\n")
    put("no_header.csv", ROWS)
    put("one_column.csv", "Phone\n+15550100001\n+15550100002\n")
    put("one_column_no_header.txt", "555-010-0001\n555-010-0002\n")
    put("ragged.csv", HEAD + "+15550100001\n+15550100002,a,b,c,d\n+15550100003,a,b\n")
    put("wide_row.csv", HEAD + "+15550100001" + ",x" * 220 + "\n" + ROW % (2, 2, 2))
    put("wide_header.csv", ",".join("c%d" % (i % 90) for i in range(230)) + "\n")
    put("damaged_header.csv", '"phone" x,company\n+15550100001,a\n')
    put("duplicate_headers.csv", "Phone,Notes,notes,,Contact\n+15550100001,a,b,c,d\n")
    put("scientific.csv", "phone,name\n1.5550100002E+10,full\n1.55501E+10,lost\n15550100002.0,float\n")
    random.seed(7)
    put("garbage.csv", bytes(random.randrange(256) for _ in range(3000)))
    put("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(100))
    put("document.csv", b"%PDF-1.7\n%\xe2\xe3\n")
    put("web_page.xls", "<html><table><tr><td>phone</td></tr></table></html>")
    put("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    put("packed.csv", b"\x1f\x8b\x08\0" + bytes(40))


NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
REL = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>phone</t></is></c>' \
    '<c r="B1" t="inlineStr"><is><t>name</t></is></c></row>'


def workbook(name, rows, strings=None, styles=None, sheets='<sheet name="Leads" sheetId="1" r:id="r1"/>',
             properties="", sheet=None, first="worksheets/sheet1.xml", prolog="", only=None):
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f"<workbook {NS} {REL}>{properties}<sheets>{sheets}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="r1" Target="{first}"/>'
        '<Relationship Id="r2" Target="/xl/worksheets/sheet2.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml":
        sheet or f"{prolog}<worksheet {NS}><sheetData>{rows}</sheetData></worksheet>",
    }
    if strings is not None:
        parts["xl/sharedStrings.xml"] = f"<sst {NS}>{strings}</sst>"
    if styles is not None:
        parts["xl/styles.xml"] = f"<styleSheet {NS}>{styles}</styleSheet>"
    if only is not None:
        parts = only
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as z:
        for path, text in parts.items():
            z.writestr(zipfile.ZipInfo(path), text, zipfile.ZIP_DEFLATED, 9)


def workbooks():
    row = '<row r="%d"><c r="A%d" t="inlineStr"><is><t>+1555010%04d</t></is></c>' \
        '<c r="B%d" t="str"><v>N %d</v></c></row>'
    rows = HEADER + "".join(row % (i, i, i, i, i) for i in range(2, 7))
    workbook("plain.xlsx", rows)
    strings = "".join(f"<si><t>{t}</t></si>" for t in ("phone", "name", "+15550100001", "Zoë &amp; Söhne"))
    strings += "<si><r><t>Rich</t></r><r><rPr><b/></rPr><t xml:space=\"preserve\"> text</t></r>" \
        "<rPh sb=\"0\" eb=\"1\"><t>phonetic</t></rPh></si><si/>"
    workbook("shared.xlsx", '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
             '<row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" t="s"><v>3</v></c></row>'
             '<row r="3"><c r="A3" t="s"><v>2</v></c><c r="B3" t="s"><v>4</v></c></row>'
             '<row r="4"><c r="A4" t="s"><v>2</v></c><c r="B4" t="s"><v>5</v></c></row>', strings)
    workbook("bad_index.xlsx", HEADER + '<row r="2"><c r="A2" t="s"><v>99</v></c></row>', "<si><t>a</t></si>")
    styles = '<numFmts><numFmt numFmtId="170" formatCode="yyyy\\-mm\\-dd;@"/><numFmt numFmtId="171" ' \
        'formatCode="00000"/><numFmt numFmtId="172" formatCode="[Red]#,##0 &quot;days&quot;"/></numFmts>' \
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>' \
        '<xf numFmtId="170"/><xf numFmtId="22"/><xf numFmtId="171"/><xf numFmtId="172"/></cellXfs>'
    cells = [("", "15550100002"), ("", "1.5550100002E10"), ('s="1"', "46027"), ('s="2"', "46027"),
             ('s="3"', "46027.645833333336"), ('s="4"', "2134"), ('s="5"', "12"), ('t="b"', "1"),
             ('t="e"', "#N/A"), ("", "0.30000000000000004"), ("", "-5.25"), ('s="1"', "59")]
    line = "".join(f"<c {a}><v>{v}</v></c>" for a, v in cells)
    head = "".join(f'<c t="str"><v>h{chr(97 + i)}</v></c>' for i in range(len(cells)))
    workbook("numbers.xlsx", f"<row>{head}</row><row>{line}</row>", styles=styles)
    workbook("since_1904.xlsx", HEADER + '<row r="2"><c r="A2" s="1"><v>44565</v></c></row>', styles=styles,
             properties='<workbookPr date1904="1"/>')
    workbook("gaps.xlsx", HEADER + '<row r="7"><c r="B7" t="str"><v>only b</v></c>'
             '<c r="D7"><v>4</v></c></row>'
             '<row r="9" ht="15"/><row r="10"><c r="A10" s="0"/></row><row><c t="str"><v>last</v></c></row>')
    workbook("hidden_first.xlsx", rows, sheets='<sheet name="Lists" state="hidden" sheetId="1" r:id="r9"/>'
             '<sheet name="Leads" sheetId="2" r:id="r1"/>')
    workbook("header_only.xlsx", HEADER)
    workbook("empty.xlsx", "")
    workbook("wide.xlsx", HEADER + '<row r="2"><c r="ZZ2"><v>1</v></c></row>' + row % (3, 3, 3, 3, 3))
    workbook("bomb.xlsx", rows, strings="<si><t>" + "A" * 9000000 + "</t></si>")
    workbook("bomb_rows.xlsx", HEADER + "<row><c><v>1</v></c></row>" * 200000)
    laughs = '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">' \
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
    workbook("entities.xlsx", HEADER + '<row r="2"><c r="A2" t="str"><v>&c;</v></c></row>', prolog=laughs)
    workbook("outside.xlsx", HEADER + '<row r="2"><c r="A2" t="str"><v>&x;</v></c></row>',
             prolog='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>')
    workbook("broken_xml.xlsx", HEADER + "<row><c><v>1</c></row>")
    workbook("cut_xml.xlsx", "", sheet=f"<worksheet {NS}><sheetData>{HEADER}<row><c><v>1</v>")
    workbook("no_workbook.xlsx", "", only={"mimetype": "application/vnd.oasis.opendocument.spreadsheet"})
    workbook("no_sheet.xlsx", "", first="worksheets/sheet9.xml")
    with open("plain.xlsx", "rb") as f:
        put("truncated.xlsx", f.read()[:900])


texts()
quotes()
shapes()
workbooks()
