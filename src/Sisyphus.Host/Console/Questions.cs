using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace Sisyphus.Host;

/// <summary>Questions to the person at the terminal, or to standard input where that is a pipe.</summary>
internal sealed class Questions(Screen screen, bool canAsk)
{
    public string ReadLine()
    {
        Permit();
        screen.Progress.Hide();
        // The end of a pipe answers like an empty line; pwsh does the same.
        return Console.In.ReadLine() ?? "";
    }

    public SecureString ReadSecret()
    {
        Permit();
        screen.Progress.Hide();
        var secret = new SecureString();
        if (Console.IsInputRedirected)
        {
            foreach (var c in Console.In.ReadLine() ?? "")
                secret.AppendChar(c);
            return secret;
        }

        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                if (secret.Length == 0)
                    continue;
                secret.RemoveAt(secret.Length - 1);
                screen.Write("\b \b");
            }
            else if (!char.IsControl(key.KeyChar))
            {
                secret.AppendChar(key.KeyChar);
                screen.Write("*");
            }
        }

        screen.Write(Environment.NewLine);
        return secret;
    }

    public Dictionary<string, PSObject?> AskFields(string caption, string message, Collection<FieldDescription> fields)
    {
        Permit();
        Introduce(caption, message);
        var answers = new Dictionary<string, PSObject?>(StringComparer.OrdinalIgnoreCase);
        foreach (var field in fields)
            answers[field.Name] = PSObject.AsPSObject(Ask(field));
        return answers;
    }

    public int AskChoice(string? caption, string? message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        Permit();
        Introduce(caption, message);
        var keys = choices.Select(Key).ToArray();
        var menu = string.Join("  ", choices.Select((choice, i) => $"[{keys[i]}] {Label(choice)}"));
        while (true)
        {
            screen.Write($"{menu}  [?] Help{(defaultChoice >= 0 ? $" (default is \"{keys[defaultChoice]}\")" : "")}: ");
            var line = Console.In.ReadLine();
            // Without an answer ever to come there is nothing to ask again for.
            if (line is null && defaultChoice < 0)
                throw new HostException("The question has no default, and standard input has ended.");
            var answer = line?.Trim() ?? "";
            if (answer.Length == 0 && defaultChoice >= 0)
                return defaultChoice;
            if (answer == "?")
                screen.Write(string.Concat(choices.Select((choice, i) => $"{keys[i]} - {choice.HelpMessage}{Environment.NewLine}")));
            var found = Find(choices, keys, answer);
            if (found >= 0)
                return found;
        }
    }

    public Collection<int> AskChoices(string? caption, string? message, Collection<ChoiceDescription> choices, IEnumerable<int> defaults)
    {
        Permit();
        Introduce(caption, message);
        var keys = choices.Select(Key).ToArray();
        screen.Write(string.Join("  ", choices.Select((choice, i) => $"[{keys[i]}] {Label(choice)}")) + Environment.NewLine);
        var chosen = new Collection<int>();
        while (true)
        {
            screen.Write($"Choice[{chosen.Count}]: ");
            var answer = Console.In.ReadLine()?.Trim() ?? "";
            if (answer.Length == 0)
                return chosen.Count > 0 ? chosen : [.. defaults];
            if (Find(choices, keys, answer) is >= 0 and var found)
                chosen.Add(found);
        }
    }

    public PSCredential AskCredential(string? caption, string? message, string? userName)
    {
        Permit();
        Introduce(caption, message);
        while (string.IsNullOrEmpty(userName))
        {
            screen.Write("User: ");
            userName = Console.In.ReadLine() ?? throw new HostException("A user name was asked for, and standard input has ended.");
        }

        screen.Write($"Password for user {userName}: ");
        return new PSCredential(userName, ReadSecret());
    }

    private object? Ask(FieldDescription field)
    {
        var type = Type.GetType(field.ParameterAssemblyFullName) ?? Type.GetType(field.ParameterTypeFullName) ?? typeof(string);
        if (type == typeof(PSCredential))
            return AskCredential(null, null, null);
        if (type == typeof(SecureString))
        {
            screen.Write($"{field.Name}: ");
            return ReadSecret();
        }

        if (type.IsArray)
            return AskList(field.Name, type);
        while (true)
        {
            screen.Write($"{field.Name}: ");
            var line = Console.In.ReadLine() ?? throw new HostException($"A value for '{field.Name}' was asked for, and standard input has ended.");
            if (LanguagePrimitives.TryConvertTo(line, type, out var value))
                return value;
            screen.WriteError($"'{line}' is no {type.Name}.{Environment.NewLine}");
        }
    }

    private object AskList(string name, Type type)
    {
        var lines = new List<string>();
        while (true)
        {
            screen.Write($"{name}[{lines.Count}]: ");
            if (Console.In.ReadLine() is not { Length: > 0 } line)
                return LanguagePrimitives.ConvertTo(lines.ToArray(), type, CultureInfo.InvariantCulture);
            lines.Add(line);
        }
    }

    private void Introduce(string? caption, string? message)
    {
        screen.Progress.Hide();
        foreach (var line in new[] { caption, message })
        {
            if (!string.IsNullOrEmpty(line))
                screen.Write(line + Environment.NewLine);
        }
    }

    private static int Find(Collection<ChoiceDescription> choices, string[] keys, string answer)
    {
        for (var i = 0; i < choices.Count; i++)
        {
            if (answer.Equals(keys[i], StringComparison.OrdinalIgnoreCase) || answer.Equals(Label(choices[i]), StringComparison.OrdinalIgnoreCase))
                return i;
        }

        return -1;
    }

    private static string Label(ChoiceDescription choice) => choice.Label.Replace("&", "", StringComparison.Ordinal);

    private static string Key(ChoiceDescription choice)
    {
        var mark = choice.Label.IndexOf('&', StringComparison.Ordinal);
        return mark >= 0 && mark + 1 < choice.Label.Length ? choice.Label.Substring(mark + 1, 1).ToUpperInvariant() : Label(choice);
    }

    private void Permit()
    {
        if (!canAsk)
            throw new HostException("A question was asked in a session started with -NonInteractive.");
    }
}
