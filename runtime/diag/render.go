package diag

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Source gives the lines of a file that diagnostics point into.
type Source map[string][]string

// Add splits a file's text into lines.
func (s Source) Add(file string, text []byte) { s[file] = strings.Split(string(text), "\n") }

func (s Source) line(at Span) (string, bool) {
	lines := s[at.File]
	if at.Line < 1 || at.Line > len(lines) {
		return "", false
	}
	return strings.TrimRight(lines[at.Line-1], "\r"), true
}

// Text writes problems for people, with the lines they are about and a caret under the culprit.
func (l List) Text(w io.Writer, source Source, colour bool) error {
	p := painter{colour: colour}
	for i, d := range l {
		var b strings.Builder
		if i > 0 {
			b.WriteByte('\n')
		}
		p.diagnostic(&b, d, source)
		if _, err := io.WriteString(w, b.String()); err != nil {
			return err
		}
	}
	return nil
}

type painter struct{ colour bool }

func (p painter) paint(code, text string) string {
	if !p.colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) severity(s Severity, text string) string {
	if s == Warning {
		return p.paint("1;33", text)
	}
	return p.paint("1;31", text)
}

func (p painter) diagnostic(b *strings.Builder, d Diagnostic, source Source) {
	fmt.Fprintf(b, "%s: %s\n", p.severity(d.Severity, d.Severity.String()+"["+d.Code+"]"), p.paint("1", d.Message))
	margin := len(strconv.Itoa(max(d.Primary.Line, maxLine(d.Secondary))))
	pad := strings.Repeat(" ", margin)
	if d.Primary.File != "" {
		place := d.Primary.File
		if d.Primary.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d", place, d.Primary.Line, d.Primary.Column)
		}
		fmt.Fprintf(b, "%s%s %s\n", pad, p.paint("34", "-->"), place)
	}
	labels := append([]Label{d.Primary}, d.Secondary...)
	order := make([]int, len(labels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return labels[x].Line - labels[y].Line })
	for _, i := range order {
		p.label(b, labels[i], i == 0, d.Severity, margin, source)
	}
	if d.Help != "" {
		fmt.Fprintf(b, "%s %s help: %s\n", pad, p.paint("34", "="), d.Help)
	}
}

func maxLine(labels []Label) int {
	line := 0
	for _, l := range labels {
		line = max(line, l.Line)
	}
	return line
}

// label writes a source line and marks its span; the primary one stands out by its colour.
func (p painter) label(b *strings.Builder, l Label, primary bool, s Severity, margin int, source Source) {
	line, ok := source.line(l.Span)
	if !ok {
		return
	}
	fmt.Fprintf(b, "%s %s %s\n", p.paint("34", fmt.Sprintf("%*d", margin, l.Line)), p.paint("34", "|"), plainText(line))
	runes := []rune(line)
	from := min(len(runes), max(0, l.Column-1))
	to := min(len(runes), from+max(1, l.Width))
	under := strings.Repeat("^", max(1, columns(string(runes[from:to]))))
	if primary {
		under = p.severity(s, under)
	} else {
		under = p.paint("34", under)
	}
	text := ""
	if l.Text != "" {
		text = " " + l.Text
	}
	fmt.Fprintf(b, "%s %s %s%s%s\n", strings.Repeat(" ", margin), p.paint("34", "|"), strings.Repeat(" ", columns(string(runes[:from]))), under, text)
}

// JSON writes problems for programs: {"diagnostics":[…]}, always with every member.
func (l List) JSON(w io.Writer) error {
	type entry struct {
		Severity string `json:"severity"`
		Code     string `json:"code"`
		Message  string `json:"message"`
		File     string `json:"file"`
		Line     int    `json:"line"`
		Column   int    `json:"column"`
		Help     string `json:"help"`
	}
	entries := make([]entry, 0, len(l))
	for _, d := range l {
		entries = append(entries, entry{d.Severity.String(), d.Code, d.Message, d.Primary.File, d.Primary.Line, d.Primary.Column, d.Help})
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"diagnostics": entries})
}

// GitHub writes problems as workflow commands, which GitHub shows beside the lines.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
func (l List) GitHub(w io.Writer) error {
	for _, d := range l {
		message := d.Message
		if d.Help != "" {
			message += "\nhelp: " + d.Help
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", d.Severity, property.Replace(d.Primary.File),
			d.Primary.Line, d.Primary.Column, property.Replace(d.Code), data.Replace(message))
		if err != nil {
			return err
		}
	}
	return nil
}

var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
