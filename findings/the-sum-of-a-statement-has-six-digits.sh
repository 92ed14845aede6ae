#!/usr/bin/env bash
# The sum of a statement is 1.5e+09, and the cents and thousands are gone.
# Ran on 2026-11-30: xmllint of libxml2 2.9.14, xmlstarlet 1.6.1 and xsltproc 1.1.35 of Debian 12.
# Guess: sum(//Amt) prints the sum in digits. XPath 1.0 has no exponents, and a double holds 15 digits.
# Seen:  xmllint prints six digits: 1000000.49 is 1e+06, and 1500000001 is 1.5e+09. xmlstarlet, and xsltproc's value-of, print 1.50000000075e+09 from a thousand million on, unless the number is whole. format-number prints the digits.
# Why:   numbers are written in C's formats: xmllint's own is %0g, the library's has an exponent from a thousand million on.
# So:    the control sum of a pain or camt file in rupiah or dong differs from the header's, or passes as equal where only its text is cut. Use format-number, or sum elsewhere.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'libxml2-utils=2.9.14*' 'libxml2=2.9.14*' 'xsltproc=1.1.35*' 'libxslt1.1=1.1.35*' 'xmlstarlet=1.6.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
cat >sum.xsl <<'XSL'
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output method="text"/>
<xsl:template match="/"><xsl:value-of select="sum(//Amt)"/>, format-number <xsl:value-of select="format-number(sum(//Amt), '0.00')"/></xsl:template></xsl:stylesheet>
XSL
all() {
  for amounts in '0.10 0.20' '999999.99 0.50' '999999999.74 0.25' '1500000000.50 0.25' '1500000000.50 0.50'; do
    for amount in $amounts; do echo "<Amt>$amount</Amt>"; done | { echo '<Doc>'; cat; echo '</Doc>'; } >doc.xml
    echo "$amounts: xmllint $(usr/bin/xmllint --xpath 'sum(//Amt)' doc.xml), xmlstarlet $(usr/bin/xmlstarlet sel -t -v 'sum(//Amt)' doc.xml), xsltproc $(usr/bin/xsltproc sum.xsl doc.xml)"
  done
}
cat >expected.txt <<'TXT'
0.10 0.20: xmllint 0.3, xmlstarlet 0.3, xsltproc 0.3, format-number 0.30
999999.99 0.50: xmllint 1e+06, xmlstarlet 1000000.49, xsltproc 1000000.49, format-number 1000000.49
999999999.74 0.25: xmllint 1e+09, xmlstarlet 999999999.99, xsltproc 999999999.99, format-number 999999999.99
1500000000.50 0.25: xmllint 1.5e+09, xmlstarlet 1.50000000075e+09, xsltproc 1.50000000075e+09, format-number 1500000000.75
1500000000.50 0.50: xmllint 1.5e+09, xmlstarlet 1500000001, xsltproc 1500000001, format-number 1500000001.00
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
