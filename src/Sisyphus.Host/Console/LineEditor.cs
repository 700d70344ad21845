using System.Text;

namespace Sisyphus.Host;

/// <summary>What a person typed; <c>Text</c> is null at the end of the input.</summary>
internal readonly record struct EditedLine(string? Text, bool Canceled);

/// <summary>One line with cursor keys, history and completion.</summary>
internal sealed class LineEditor(Session session)
{
    private readonly List<string> _history = [];
    private readonly StringBuilder _line = new();
    private int _cursor;
    private int _column;

    public void Remember(string text)
    {
        if (text.Length > 0 && (_history.Count == 0 || _history[^1] != text))
            _history.Add(text);
    }

    public EditedLine ReadLine(string prompt)
    {
        Console.Write(prompt);
        if (Console.IsInputRedirected || Console.IsOutputRedirected)
            return new(Console.In.ReadLine(), false);
        _line.Clear();
        (_cursor, _column) = (0, 0);
        var shown = _history.Count;
        // As a key, Ctrl+C drops the line; as a signal it would find no pipeline to stop.
        Console.TreatControlCAsInput = true;
        try
        {
            while (true)
            {
                var key = Console.ReadKey(intercept: true);
                var control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
                switch (key.Key)
                {
                    case ConsoleKey.Enter:
                        MoveTo(_line.Length);
                        Console.WriteLine();
                        return new(_line.ToString(), false);
                    case ConsoleKey.C when control:
                        Console.WriteLine("^C");
                        return new(null, true);
                    case ConsoleKey.D when control && _line.Length == 0:
                        Console.WriteLine();
                        return new(null, false);
                    case ConsoleKey.UpArrow when shown > 0:
                        Replace(_history[--shown]);
                        break;
                    case ConsoleKey.DownArrow when shown < _history.Count:
                        Replace(++shown == _history.Count ? "" : _history[shown]);
                        break;
                    case ConsoleKey.LeftArrow:
                        MoveTo(Math.Max(_cursor - 1, 0));
                        break;
                    case ConsoleKey.RightArrow:
                        MoveTo(Math.Min(_cursor + 1, _line.Length));
                        break;
                    case ConsoleKey.Home:
                    case ConsoleKey.A when control:
                        MoveTo(0);
                        break;
                    case ConsoleKey.End:
                    case ConsoleKey.E when control:
                        MoveTo(_line.Length);
                        break;
                    case ConsoleKey.Backspace when _cursor > 0:
                        Edit(_cursor - 1, 1, "");
                        break;
                    case ConsoleKey.Delete when _cursor < _line.Length:
                        Edit(_cursor, 1, "");
                        break;
                    case ConsoleKey.U when control:
                        Edit(0, _cursor, "");
                        break;
                    case ConsoleKey.K when control:
                        Edit(_cursor, _line.Length - _cursor, "");
                        break;
                    case ConsoleKey.Tab:
                        Complete();
                        break;
                    default:
                        if (!char.IsControl(key.KeyChar))
                            Edit(_cursor, 0, key.KeyChar.ToString());
                        break;
                }
            }
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }

    private void Replace(string text)
    {
        Edit(0, _line.Length, text.ReplaceLineEndings(" "));
        MoveTo(_line.Length);
    }

    private void Complete()
    {
        var completion = session.Complete(_line.ToString(), _cursor);
        if (completion.CompletionMatches.Count == 0)
            return;
        var texts = completion.CompletionMatches.Select(m => m.CompletionText).ToArray();
        var typed = _line.ToString(completion.ReplacementIndex, completion.ReplacementLength);
        var common = texts.Aggregate((a, b) => a[..a.Zip(b).TakeWhile(p => char.ToUpperInvariant(p.First) == char.ToUpperInvariant(p.Second)).Count()]);
        if (texts.Length > 1 && common.Length <= typed.Length)
        {
            ShowChoices(completion.CompletionMatches.Select(m => m.ListItemText));
            return;
        }

        Edit(completion.ReplacementIndex, completion.ReplacementLength, common);
    }

    private void ShowChoices(IEnumerable<string> items)
    {
        const int Most = 60;
        var cursor = _cursor;
        MoveTo(_line.Length);
        Console.WriteLine();
        Console.WriteLine(string.Join("  ", items.Take(Most)));
        (_column, _cursor) = (0, _line.Length);
        Console.Write(_line);
        _column = _line.Length;
        MoveTo(cursor);
    }

    private void Edit(int start, int length, string text)
    {
        var before = _line.Length;
        MoveTo(start);
        _line.Remove(start, length).Insert(start, text);
        var rest = _line.ToString(start, _line.Length - start);
        var stale = Math.Max(before - _line.Length, 0);
        Console.Write(rest + new string(' ', stale));
        _column = _line.Length + stale;
        MoveTo(start + text.Length);
    }

    // Moves with backspaces and by writing again: that works in every terminal, and over the right margin where it wraps.
    private void MoveTo(int position)
    {
        if (_column > position)
            Console.Write(new string('\b', _column - position));
        else if (_column < position)
            Console.Write(_line.ToString(_column, position - _column));
        (_column, _cursor) = (position, position);
    }
}
