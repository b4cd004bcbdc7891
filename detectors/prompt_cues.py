"""Cues: what a prompt says when it uses a capability, elicits reasoning, or speaks of the answer it wants.

Lower case, single spaces. A cue is looked for only where a word begins like the cue's first word; it may end inside a
word. Cues in other scripts are looked for anywhere.
"""

from __future__ import annotations

CUES: dict[str, tuple[str, ...]] = {
    "chain_of_thought": (
        "step by step", "step-by-step", "chain of thought", "chain-of-thought", "show your reasoning",
        "show your work", "explain your reasoning", "detail your reasoning", "your reasoning process",
        "thinking process", "reasoning process", "transparent reasoning", "complete reasoning", "internal monologue",
        "internal reasoning", "reason and give", "think aloud", "think out loud", "reason through",
        "reasoning in full", "thinking content", "your full reasoning", "every reasoning step", "well-reasoned",
        "paso a paso", "cadena de pensamiento", "razonamiento completo", "muestra tu razonamiento",
        "étape par étape", "pas à pas", "chaîne de pensée", "raisonnement complet", "montre ton raisonnement",
        "schritt für schritt", "gedankenkette", "denkprozess", "gedankengang", "zeige deine überlegungen",
        "passo a passo", "cadeia de pensamento", "raciocínio completo", "шаг за шагом", "пошагово", "цепочк",
        "ход рассуждений", "ход мыслей", "一步一步", "一步步", "逐步", "思维链", "思維鏈", "思考过程", "思考過程",
        "推理过程", "推理過程", "ステップバイステップ", "段階的に", "順を追って", "思考の連鎖", "推論過程",
        "단계별로", "차근차근", "사고 과정", "추론 과정", "خطوة بخطوة", "سلسلة التفكير", "سلسلة الأفكار",
    ),
    "trace_reconstruction": (
        "internal reasoning behind", "reasoning behind a completed", "reasoning behind the completed",
        "articulate the internal", "reconstruct the reasoning", "reconstruct your reasoning",
        "reconstruct the thought", "working memory", "reasoning trace", "thinking trace",
        "language used in the thinking content", "hidden reasoning", "hidden thoughts", "raw reasoning",
        "verbatim reasoning", "reasoning verbatim", "thinking verbatim", "previous thinking", "repeat your thinking",
        "reasoning content", "reasoning that led to", "razonamiento interno", "reconstruye el razonamiento",
        "raisonnement interne", "reconstitue le raisonnement", "interne überlegung", "interner denkprozess",
        "internen denkprozess", "rekonstruiere", "raciocínio interno", "внутренние рассуждения",
        "внутренних рассуждений", "восстанови ход", "内部推理", "还原推理", "重建推理", "还原思考", "内部思考",
        "内部の推論", "内部推論", "推論を再現", "思考を再現", "내부 추론", "추론을 재구성", "التفكير الداخلي",
        "الاستدلال الداخلي",
    ),
    "reasoning_tags": (
        "<thinking", "<think>", "</think>", "<reasoning", "<scratchpad", "<thought", "<|begin_of_thought", "<cot>",
        "<analysis>", "[thinking]", "[reasoning]", "<raisonnement", "<razonamiento", "<思考", "<推理",
    ),
    "filter_evasion": (
        "do not flag", "don't flag", "not reasoning extraction", "as reasoning extraction", "real system prompt",
        "ignore previous instructions", "ignore all previous", "ignore the previous", "disregard previous",
        "disregard all previous", "in a debugging session", "in debug mode", "bypass the filter", "bypass your",
        "without triggering", "avoid detection", "evade detection", "safety filter", "content filter",
        "katakana-only", "not a jailbreak", "developer mode", "do anything now", "no marques esto",
        "ignora las instrucciones", "ignora todas las", "sesión de depuración", "ne signale pas", "ne signalez pas",
        "ignore les instructions", "ignorez les instructions", "session de débogage", "ignoriere alle",
        "ignoriere die", "não sinalize", "ignore as instruções", "не помечай", "игнорируй предыдущ", "игнорируй все",
        "сеанс отладки", "不要标记", "不要標記", "忽略之前", "忽略以上", "忽略所有", "调试会话", "绕过",
        "フラグを立てないで", "以前の指示を無視", "これまでの指示を無視", "デバッグセッション", "이전 지시를 무시",
        "이전 지침을 무시", "플래그하지", "디버깅 세션", "تجاهل التعليمات", "لا تضع علامة",
    ),
    "coding": (
        "```", "python", "javascript", "typescript", "c++", "c#", " java ", " rust ", "golang", " sql", "regex",
        "html", " css", "bash", "dockerfile", "kubernetes", "source code", "unit test", " code", "debug", "compile",
        "refactor", "stack trace", "traceback", "a function that", "algorithm", "programm", " def ", "#include",
        "código", "代码", "编程", "コード", "코드", "كود", "программ", " код",
    ),
    "tool_use": (
        "tool call", "tool_call", "function call", "function_call", "available tools", "following tools",
        "use the tool", "use tools", "<tool", "tool use", "json schema", "invoke the", "call the function",
        "api call", "herramientas", "调用工具", "工具调用", "ツールを使", "도구를 사용",
    ),
    "agentic": (
        "agentic", "autonomous", "an agent", "coding agent", "ai agent", "orchestrat", "sub-task", "subtask",
        "sub-agent", "sub agent", "plan and execute", "multi-step task", "next action", "the repository",
        "terminal commands", "observation:", "action:", "智能体", "エージェント", "에이전트",
    ),
    "vision": (
        "this image", "the image", "attached image", "these images", "this picture", "the picture", "this photo",
        "the photo", "screenshot", "in the diagram", "<image", "image_url", "esta imagen", "cette image",
        "diesem bild", "das bild", "desta imagem", "изображени", "图片", "这张图", "画像", "이미지", "الصورة",
    ),
    "computer_use": (
        "click on", "mouse cursor", "move the mouse", "computer use", "computer_use", "web browser to",
        "the browser window", "screen coordinates", "desktop environment", "xdotool", "type into the", "点击",
        "クリックして", "클릭",
    ),
    "data_analysis": (
        "data analyst", "data analysis", "dataset", "data set", "dataframe", "pandas", ".csv", " csv", "spreadsheet",
        "excel", "statistical", "regression", "correlation", "time series", "pivot table", "analyze the data",
        "analyse the data", "análisis de datos", "datenanalyse", "analyse de données", "análise de dados",
        "анализ данных", "数据分析", "データ分析", "데이터 분석", "تحليل البيانات",
    ),
    "rubric_grading": (
        "rubric", "grade the", "grade this", "score the", "score from", "rate the response", "rate the following",
        "rate each", "scale of", "scale from", "evaluate the following", "evaluate the response",
        "which response is better", "as a judge", "impartial judge", "reward model", "points out of",
        "assign a score", "out of 10", "rúbrica", "grille d'évaluation", "bewerte die", "оцени ответ", "评分",
        "打分", "採点", "채점",
    ),
    "reasoning": (
        "prove ", "proof", " solve", "calculate", "compute the", "how many", "how much", "probability", "equation",
        "theorem", "puzzle", "riddle", "logic", "deduce", "derive", " math", "reasoning", "syllogism", "integral",
        "boxed", "cuántos", "cuántas", "resuelve", "demuestra", "combien", "résous", "démontre", "beweise",
        "berechne", "wie viele", "quantos", "quantas", "resolva", "сколько", "докажи", "реши", "证明", "计算",
        "求解", "多少", "証明", "計算", "いくつ", "증명", "계산", "몇 개", "احسب", "أثبت",
    ),
    "rewrite": (
        "rewrite", "rephrase", "reformulate", "paraphrase", "reescribe", "réécris", "reformule", "umformulier",
        "schreibe", "reescreva", "перепиши", "改写", "重写", "書き直", "다시 작성", "أعد صياغة",
    ),
    "policy": (
        "censor", "politically", "sensitive", "dissident", "policy-safe", "policy safe", "regulat", "authoritarian",
        "content policy", "compliant", "party leader", "político", "politique", "zensur", "полити", "цензур", "敏感",
        "审查", "合规", "政治", "検閲", "민감", "검열", "سياس", "رقاب",
    ),
    "template": (
        "the following", "your response", "your answer", "your final", "final response", "final answer",
        "your reasoning", "your role", "your task", "your thought", "your solution", "your output", "your thinking",
        "you must", "you should", "you will", "you are a", "you are an", "you are the", "act as", "i want you to",
        "please structure", "respond in", "respond with", "reply with", "answer with", "the above", "step by step",
        "step-by-step", "in this section", "section,", "do not flag", "imagine and articulate", "first think",
        "the question above", "given a ", "you have", "return the", "return only", "output only", "output format",
        "format:", "thinking content", "the user", "la siguiente", "el siguiente", "tu respuesta", "su respuesta",
        "paso a paso", "actúa como", "debes", "eres un", "suivant", "votre réponse", "ta réponse", "étape par étape",
        "vous devez", "tu dois", "vous êtes", "tu es un", "folgende", "deine antwort", "ihre antwort",
        "schritt für schritt", "du bist", "sie sind ein", "du sollst", "seguinte", "sua resposta", "passo a passo",
        "você deve", "você é", "atue como", "следующ", "ваш ответ", "твой ответ", "шаг за шагом", "пошагово",
        "вы должны", "ты должен", "ты —", "вы —", "以下", "你的回答", "您的回答", "一步一步", "逐步", "你必须",
        "你是", "请将", "最终答案", "次の", "あなたの回答", "ステップバイステップ", "あなたは", "してください",
        "다음", "당신의 답", "단계별", "당신은", "하세요", "하십시오", "التالي", "التالية", "إجابتك", "خطوة بخطوة",
        "يجب عليك", "أنت ",
    ),
}  # fmt: skip
"""Cues by name. `rewrite` and `policy` together make `policy_rewrite`; `template` marks sentences about the answer."""
